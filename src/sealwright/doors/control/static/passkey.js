// Asks the browser's passkey dialog and puts its answer into the form it stands in. Everything else works without a script.
"use strict";
for (const button of document.querySelectorAll("button[data-passkey]")) {
  const makes = button.dataset.passkey === "make";
  const parse = window.PublicKeyCredential && (makes
    ? PublicKeyCredential.parseCreationOptionsFromJSON : PublicKeyCredential.parseRequestOptionsFromJSON);
  if (!parse) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const form = button.form, said = form.querySelector("[data-said]");
    said.textContent = "";
    try {
      const publicKey = parse.call(PublicKeyCredential, JSON.parse(button.dataset.options));
      const found = await (makes ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
      form.elements.answer.value = JSON.stringify(found.toJSON());
      form.submit();
    } catch (error) {
      said.textContent = "The passkey was not used: " + error.message;
    }
  });
}
