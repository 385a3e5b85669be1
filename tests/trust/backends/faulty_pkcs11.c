/* A PKCS#11 library between us and the real one, so that a real token can be made to fail.
 *
 * The file named by FAULTY_PKCS11_MODE says how: "down" (the device was pulled out), "slow" (no session for a while),
 * "lie" (signatures come back with a flipped bit), "hang" (no session, ever), "stuck" (not even loaded, ever); anything else passes every call on. Each
 * login is a byte at the end of the file of that name with ".logins". FAULTY_PKCS11_REAL is the library behind. The order of functions is that of CK_FUNCTION_LIST in PKCS #11 2.40.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;
struct list { unsigned char major, minor; void *f[68]; };
enum { GET_FUNCTION_LIST = 3, OPEN_SESSION = 12, LOGIN = 18, SIGN = 43 };

static struct list ours;
static ulong_t (*real_open)(ulong_t, ulong_t, void *, void *, ulong_t *);
static ulong_t (*real_login)(ulong_t, ulong_t, unsigned char *, ulong_t);
static ulong_t (*real_sign)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *);

static int mode_is(const char *wanted) {
  char found[16] = {0};
  FILE *file = fopen(getenv("FAULTY_PKCS11_MODE"), "r");
  if (file) { if (fgets(found, sizeof found, file)) found[strcspn(found, "\n")] = 0; fclose(file); }
  return strcmp(found, wanted) == 0;
}

static ulong_t open_session(ulong_t slot, ulong_t flags, void *app, void *notify, ulong_t *out) {
  if (mode_is("down")) return 0x32; /* CKR_DEVICE_REMOVED */
  if (mode_is("slow")) sleep(2);
  while (mode_is("hang")) sleep(1000);
  return real_open(slot, flags, app, notify, out);
}

static ulong_t login(ulong_t session, ulong_t who, unsigned char *pin, ulong_t length) {
  char name[4096];
  snprintf(name, sizeof name, "%s.logins", getenv("FAULTY_PKCS11_MODE"));
  FILE *file = fopen(name, "a");
  if (file) { fputc('.', file); fclose(file); }
  return real_login(session, who, pin, length);
}

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t size, unsigned char *out, ulong_t *length) {
  ulong_t said = real_sign(session, data, size, out, length);
  if (said == 0 && out && *length > 40 && mode_is("lie")) out[40] ^= 1;
  return said;
}

ulong_t C_GetFunctionList(struct list **out) {
  while (mode_is("stuck")) sleep(1000);
  if (!ours.f[0]) {
    void *library = dlopen(getenv("FAULTY_PKCS11_REAL"), RTLD_NOW | RTLD_LOCAL);
    if (!library) return 5; /* CKR_GENERAL_ERROR */
    ulong_t (*get)(struct list **) = (ulong_t(*)(struct list **))dlsym(library, "C_GetFunctionList");
    struct list *real;
    if (get(&real)) return 5;
    memcpy(&ours, real, sizeof ours);
    real_open = ours.f[OPEN_SESSION];
    real_login = ours.f[LOGIN];
    real_sign = ours.f[SIGN];
    ours.f[OPEN_SESSION] = open_session;
    ours.f[LOGIN] = login;
    ours.f[SIGN] = sign;
    ours.f[GET_FUNCTION_LIST] = C_GetFunctionList;
  }
  *out = &ours;
  return 0;
}
