## The outer side: TLS, certificates, ACME

http-tls = TLS does not start: { $cause }. Tell us of this error.
http-wants-tls = Only HTTPS is taken here. Change "http://" to "https://" in the address and send it again.

certificate-file = file { $path } cannot be read: { $cause }. Check the path and the rights: whoever runs uzel must be able to read it.
certificate-large = file { $path } is larger than { $max } bytes: that is no certificate. Name a PEM file.
certificate-none = there is no certificate in { $path }. It must be PEM with BEGIN CERTIFICATE: the certificate of the site first, then the intermediate ones.
certificate-unreadable = the certificate in { $path } is damaged. Take it anew from whoever issued it.
certificate-no-key = there is no key in { $path } that can be read. It must be PEM without a password, with BEGIN PRIVATE KEY (RSA of 2048 bits or more, ECDSA P-256 or P-384, Ed25519).
certificate-wrong-key = the key { $path } is not that of the certificate { $certificate }. Name a pair that was issued together.
certificate-expired = the new certificate { $path } has run out already ({ $date }); the former one serves on. Put a valid one there.
certificate-run-out = the certificate { $path } has run out: sites and 1C do not take it. Replace the files; no restart is needed.
certificate-folder = folder { $path } cannot be written: { $cause }. Check its space and rights.

acme-failed = no certificate from { $directory }: { $detail }. Check that this machine reaches the internet and that the address of directory is right.
acme-slow = no certificate: { $directory } was not done within { $seconds } s. It is tried again by itself.
acme-waits = earlier orders of a certificate have failed ({ $failed }). To try now: systemctl reload uzel.
acme-no-challenge = { $directory } does not offer this way of proof. Change challenge in [listen.acme].
acme-unseen-http = the names { $domains } are not proved. { $detail } Check that the name leads to this machine and that port 80 leads to plain_address from outside.
acme-unseen-tls = the names { $domains } are not proved. { $detail } Check that the name leads to this machine and that port 443 leads straight to address from outside, without another web server.
acme-no-pair = { $directory } sent what does not go with our key. It is tried again by itself; if it comes again, tell us.

config-plain-without-tls = "plain_address" is of use only beside HTTPS. Add [listen.tls] or [listen.acme], or take it out: plain HTTP is taken at address.
config-tls-both = there are both [listen.tls] and [listen.acme]. Leave one of them.
config-tls-half = "{ $name }" is missing: [listen.tls] needs both files, certificate and key.
config-acme-domains = "domains" is missing: the names that the certificate is for, for example domains = ["in.company.ru"].
config-acme-domain = "{ $name }" is no name of a site. Write, for example: in.company.ru (without https://, without *; other letters as xn--…), 50 names at the most.
config-acme-directory = "{ $url }" is no address of an authority. It begins with https://; without this line Let's Encrypt is taken.
config-acme-terms = no certificate can be ordered without your consent. Read the terms of the authority ({ $directory }, field termsOfService) and write: agree_to_terms = true
config-acme-plain = http-01 needs plain_address = "0.0.0.0:80" in [listen]. Set it, or choose challenge = "tls-alpn-01".

cli-certificate-until = until { $date } ({ $days ->
    [one] { $days } day
   *[other] { $days } days
})
cli-certificate-none = none yet
