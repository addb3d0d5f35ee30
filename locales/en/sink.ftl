## connector: manifests
connector-twice = "{ $what }" is declared twice. Remove one of the two.
connector-slug = "{ $text }" is not a short name. Use up to 24 of a-z, 0-9, _ and -.
connector-slot = "${ $word }" cannot stand here; did you mean "${ $near }"?
connector-slot-list = "${ $word }" cannot stand here. Known here: { $known }.
connector-brace = the path "{ $text }" has a "{"{"}" without its "{"}"}". Close it.
connector-setting = no setting is called "{ $word }"; did you mean "{ $near }"?
connector-setting-list = no setting is called "{ $word }". Declare it in [[setting]]; declared: { $known }.
connector-status = a status is a number from 100 to 599, or a class such as "5xx". Correct the list.
connector-find-origin = the object is said to be findable, but no [[sink.object.find]] looks by = "origin". Add one, or write create_kind = "neither".
connector-import-rows = an import needs a place "$rows" in its body: there the objects go
connector-multi-get = fields with several values are compared with what the sink holds before an update. Add get = {"{"} path = ..., record = ... {"}"}.
connector-page = the page of an object is a path from the root of the address, with $id: "/crm/deal/details/$id/". Correct page.
connector-next-start = the pages after the first are asked for by "$start". Put it into the body, or remove "next".

## net: outbound HTTP
net-network = "{ $text }" is not a network. Write it like 10.0.5.0/24.
net-client = the HTTP client does not start: { $detail }. Check that the system's root certificates are installed.
net-request = a request to { $host } cannot be made. Check the address and the key in the connection's settings for stray characters.
net-address = the address in the connection's settings is not an address. It looks like https://company.example.ru/...
net-https = { $host } must be called by https. Correct the address; plain http is possible only for private addresses that the connection allows.
net-credentials = the address of { $host } holds a login. Take it out of the address.
net-private = { $host } is in a private network, and the connection does not allow that. If it is your own server, set allow_private = true or list its network in allow_networks.
net-answer-long = the answer of { $host } is longer than { $bytes } bytes and was cut off.
net-connect = no connection to { $host }: { $detail }. It will be tried again.
net-timeout = { $host } did not answer in time: { $detail }. What was sent may have taken effect; it will be looked up first.
net-cut = the connection to { $host } was cut: { $detail }. What was sent may have taken effect; it will be looked up first.

## sink: pushing
sink-setting-missing = the setting "{ $name }" of the connection is missing. Set it in uzel.toml; a secret is put into the vault by `uzel init`.
sink-answer = { $host } answered { $status }, { $code }: { $text }. Correct the data or the settings, then send again.
sink-no-part = the answer of { $host } says nothing of this object. It will be looked up first.
sink-no-id = the answer to the creation of the { $kind } has no id. It will be looked up first.
sink-no-record = the { $kind } { $id } is not there any more. It is looked for among the others (it may have been merged); it is not made anew by itself.
sink-refers-gone = { $kind }: the deal or client that it belongs to is not in that system any more. If they are needed, make them anew (uzel outbox resend) and send this; if not, uzel outbox discard.
sink-ask-person = the { $kind } may have been made, and cannot be looked up. Look into the system: if it is not there, send again; else discard.
sink-import-refused = { $sink } does not import ({ $method }): { $detail }. The history waits, what is new is written as before. Give the user of the connection the right to import into CRM; or, where there is no such method, set history_with_robots = true in [connection.{ $sink }] and restart: then robots start on every record of the history.
sink-found-several = { $count } objects of kind { $kind } fit; linked to the one with the smallest id, { $id }. Merge the others in the system.
sink-kind-unknown = the connector of { $sink } does not declare an object of kind "{ $kind }". Declare it in [[sink.object]].
sink-fields-many = { $host } has more custom fields than can be listed. Remove those that nobody uses.
sink-field-refused = the field { $name } of { $kind } was not made: { $reason } Make it by hand, or give the webhook's employee administrator rights in CRM.
sink-circuit = { $host } does not answer; it is tried again from time to time.
sink-busy = { $host } asks to wait. It will be tried again.
sink-word = { $field } is not told: the CRM does not have "{ $word }"; is it "{ $near }"? Give them one name, or add it to the table of the mapping.
sink-word-list = { $field } is not told: the CRM does not have "{ $word }"; it has: { $known }. Add it to the table of the mapping.
