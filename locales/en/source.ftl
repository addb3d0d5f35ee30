## source: site forms and webhooks
source-unknown = There is nothing at this address. Copy the whole address of the connection from its settings in uzel.
source-unverified = The message is not signed by a secret that this connection knows.
source-method = This address takes POST only. Set the method POST where the address is entered.
source-encoding = The body is compressed, and this address takes plain bodies only. Send it without Content-Encoding.
source-too-large = The body is larger than { $kib } KiB, and nothing of it was kept. Send less, or without files.
source-too-many = Too many requests. Send this one again in { $seconds ->
    [one] { $seconds } second
   *[other] { $seconds } seconds
}.
source-not-webhook = connection "{ $connection }": the connector "{ $connector }" does not take webhooks. Choose a connector whose source has transport = "webhook" and at least one stream.
source-bad-origin = connection "{ $connection }": "{ $origin }" is not an origin. Write scheme and host only, for example https://site.ru.
source-bad-redirect = connection "{ $connection }": "{ $address }" cannot be a page to lead to. Write its whole address, for example https://site.ru/thanks.

## pipeline: lists
pipeline-no-list = the body has no list at { $path }, which the connection { $connection } names in its setting list. Correct the setting or the sender, then retry this record.

## http: the listener
http-bind = cannot listen on { $address }: { $cause }. Stop the program that holds the address, or set another one.
http-bad-proxy = "{ $text }" is neither an address nor a network. Write, for example, 127.0.0.1 or 10.0.0.0/8.
http-unauthorized = The token is missing or wrong. Send the header "Authorization: Bearer TOKEN"; whoever runs uzel has the token.
http-unavailable = Not taken now. Send the same request again in { $seconds } s.
http-busy = Too many large bodies just now. Send the same request again in { $seconds } s.
http-closing = The daemon is stopping. Send the same request again in a minute.
http-too-slow = The request did not come within { $seconds } s. Send it again.
http-bug = A bug in uzel stopped this request. Send it again; if it repeats, report the x-request-id of this answer.
http-thanks-title = Thank you
http-thanks-line = Your message has arrived. We will get back to you.

## vault: secrets at rest
vault-read = cannot read the vault { $path }: { $cause }. Let the user of the daemon own the file and its folder.
vault-write = cannot write the vault { $path }: { $cause }. The old secrets stay in force. See to space and rights of the folder, then set the secret again.
vault-exposed = others may read the vault { $path } (mode { $mode }). Run: chmod 600 { $path }, and renew its secrets if strangers use this machine.
vault-damaged = the vault { $path } does not read. Restore it from a backup, or move it away and set the secrets anew.
vault-newer = the vault { $path } was written by a newer uzel. Update the program.
vault-name = "{ $name }" is not a name of a secret. Write CONNECTION.SETTING, for example site.secret.
asterisk-io = The telephony { $connection } ({ $place }) cannot be reached: { $detail }. See to the address, the port, and that AMI is on (enabled = yes in manager.conf); Uzel tries again by itself.
asterisk-closed = The telephony { $connection } ({ $place }) closed the link. Uzel connects again by itself; if it goes on, see to the rights and addresses in manager.conf.
asterisk-silent = The telephony { $connection } ({ $place }) has been silent for { $seconds } s: the link counts as lost, Uzel connects again.
asterisk-stranger = What answers at { $place } is not the AMI of a telephone exchange. See to host and port of the connection { $connection }: the usual port of AMI is 5038, with TLS 5039.
asterisk-refused = The telephony { $connection } ({ $place }) does not let the user { $login } in: { $said }. Compare name and password with manager.conf, and store the password: uzel secret set { $connection }.password.
asterisk-authorities = The file tls_ca of the connection { $connection } does not read as PEM certificates. Name the file of the authority that signed the certificate of { $place }.
asterisk-no-authorities = The connection { $connection } has TLS on and no tls_ca. Name the file of the certificate to be trusted (PEM).
asterisk-port = The port of the connection { $connection } must be from 1 to 65535; the usual port of AMI is 5038.
asterisk-no-password = The connection { $connection } has no password of the AMI user. Store it with uzel secret set { $connection }.password, and start Uzel again.
