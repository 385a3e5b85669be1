"""What Sealwright itself is made of: installed packages, their files, licences and known faults.

Answers: is what runs here what was accepted, may we use it, and is something in it known to be broken?
Does not answer: is it free of faults nobody has reported. The names are exported by `sealwright.trust`.
"""
