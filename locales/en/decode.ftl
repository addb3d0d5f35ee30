## decode

## value: paths of mappings and manifests
value-path-empty = the path is empty. Write where the value stands, for example Контрагенты.Контрагент.ИНН; a single dot means the whole record.
value-path-name = a name is missing in the path "{ $path }" at column { $column }. Write a name there, or remove the extra dot.
value-path-unexpected = "{ $found }" cannot stand in the path "{ $path }" at column { $column }. A name with spaces, dots or brackets is written in double quotes.
value-path-index = the brackets in the path "{ $path }" at column { $column } hold neither a number nor a condition. Write [0], [*] or [name=text].
value-path-unclosed = a bracket in the path "{ $path }" is not closed. Add ] at column { $column }.
value-path-filter = the condition in the path "{ $path }" has no "=" at column { $column }. Write [name=text].
value-path-unquoted = the quote in the path "{ $path }" at column { $column } is not closed. Add the second quote.

## decode: character sets
decode-malformed = some bytes of "{ $field }" are not { $charset }; they were replaced by a mark, the original is kept. If this happens often, set the character set at the sender.
decode-cdr-row = line { $line } of the call records (CDR) does not read: no time of beginning in its place; see whether the file is Master.csv of cdr_csv or cdr_custom
decode-charset-differs = "{ $field }" is declared as { $declared } and is { $charset }; it was read as { $charset }. Nothing needs to be done; the sender's setting may be corrected.

## decode: submissions
decode-json = this body is not JSON: { $detail }, line { $line }, column { $column }. Correct the sender, then retry the record.
decode-number-long = a number is longer than can be kept exactly; its last digits may differ. Let the sender write it in quotes.
decode-form-fields = the form has more than { $max } fields. Send fewer fields, or several forms.
decode-form-depth = the field name "{ $field }" has more than { $max } brackets. Shorten the name at the sender.
decode-form-percent = a percent sign in "{ $field }" stands without two digits; it was kept as it is.
decode-multipart-boundary = this multipart body has no boundary: neither Content-Type nor the first line names it. Correct the sender's Content-Type, then retry the record.
decode-multipart-empty = the boundary named in Content-Type does not occur in the { $bytes } bytes of the body. Correct the sender, then retry the record.
decode-multipart-headers = part { $part } of the form (byte { $byte }) has too many headers. Correct the sender.
decode-multipart-cut = the form ends without its last boundary after { $bytes } bytes; what came was kept. Look whether the sender was interrupted.
decode-submission-unknown = this body (Content-Type "{ $type }") is neither a form, nor JSON, nor XML. Set the sender to form-urlencoded or JSON, then retry the record.
decode-type-differs = the body is declared as { $declared } and is { $found }; it was read as { $found }.

## decode: XML
decode-xml = this body is not XML that can be read: { $detail }, line { $line }, column { $column }. Correct the sender, then retry the record.
decode-xml-syntax = { $detail }
decode-xml-dtd = it declares entities of its own, and such files are not opened. Remove the DOCTYPE.
decode-xml-depth = it is nested deeper than { $max }
decode-xml-second = a second root element "{ $name }"
decode-xml-outside = text outside the root element
decode-xml-unclosed = the element "{ $name }" is not closed
decode-xml-none = there is no element in it

## decode: archives
decode-archive-damaged = { $file }: the archive cannot be read ({ $detail }). Repeat the exchange from 1C.
decode-archive-members = { $file }: the archive holds more than { $max } files. Send fewer at a time.
decode-archive-nested = { $file }: "{ $member }" is an archive within an archive and is not opened. Pack the XML files directly.
decode-archive-name = { $file }: the name "{ $member }" leads out of its folder; the file was not read. Rename it.
decode-archive-encrypted = { $file }: "{ $member }" is encrypted and was not read. Pack it without a password.
decode-archive-method = { $file }: "{ $member }" is packed by a method other than deflate and was not read. Pack it as an ordinary zip.
decode-archive-crc = the member "{ $member }" does not have the checksum that the archive names: it was damaged on the way. Repeat the exchange from 1C.
decode-archive-bomb = the member "{ $member }" unpacks to far more than an exchange file ever does; reading stopped. If the file is genuine, send it unpacked (zip=no).

## decode: CommerceML
decode-commerceml-io = { $file }:{ $line }: the file cannot be read on: { $detail }. Repeat the exchange from 1C.
decode-commerceml-empty = { $file }: the file is empty. Repeat the exchange from 1C.
decode-commerceml-text = { $file }:{ $line }: this is not CommerceML: the file begins with text, not with XML. Look what 1C or the sender wrote there, then send it again.
decode-commerceml-html = { $file }:{ $line }: this is an HTML page, not CommerceML. Check the address in the exchange settings of 1C, then send the file again.
decode-commerceml-root = { $file }:{ $line }: this is not CommerceML: the root element is "{ $name }", not "КоммерческаяИнформация". Choose the exchange with a site in 1C, then send the file again.
decode-commerceml-dtd = { $file }:{ $line }: the file declares entities of its own, and such files are not opened. Remove the DOCTYPE, then send it again.
decode-commerceml-tag = { $file }:{ $line }: a tag is mangled here; reading went on after it. Find the object in 1C whose text breaks the file, then repeat the exchange.
decode-commerceml-end = { $file }:{ $line }: an end tag does not fit here; reading went on after it. Repeat the exchange from 1C; if it comes again, look at that line.
decode-commerceml-depth = { $file }:{ $line }: elements are nested deeper than { $max }; the rest was not read. Look at that line of the file.
decode-commerceml-damaged = { $file }:{ $line }: more than { $max } damaged places; the rest was not read. Repeat the exchange from 1C.
decode-commerceml-cut = { $file }:{ $line }: the file ends in the middle; what came was read. Repeat the exchange from 1C.
decode-commerceml-after = { $file }:{ $line }: something follows the end of the file's content and was not read. Repeat the exchange from 1C.
decode-commerceml-items = { $file }:{ $line }: more than { $max } records; the rest was not read. Let 1C send fewer at a time.
decode-record-large = { $file }:{ $line }: the record "{ $name }" is too large and was not read. Look in 1C what makes it so large (a picture in a text field?), then send it again.
decode-record-unclosed = { $file }:{ $line }: the record "{ $name }" has no end and was not read; the next one was. Repeat the exchange from 1C.
decode-record-cut = { $file }:{ $line }: the file ends in the middle of the record "{ $name }". Repeat the exchange from 1C.
decode-record-xml = { $file }:{ $line }: the record "{ $name }" cannot be read: { $detail } (column { $column }). Find the object in 1C, remove unprintable characters from its texts, then send it again.
decode-record-replaced = the record "{ $name }" on line { $line } has characters that were lost before it came. Look at the text in 1C.

## exchange: what 1C and its user are told
exchange-spool = the folder { $folder } for files of the 1C exchange cannot be used. Check that it exists and that uzel may write there.
exchange-login-wrong = wrong login or password. Check both in the exchange settings of 1C.
exchange-login-missing = login and password are needed. Set them in the exchange settings of 1C.
exchange-login-wait = too many wrong logins from this address. Wait { $seconds } seconds, check login and password in 1C.
exchange-sessions = more than { $max } exchanges run at once. Repeat the exchange later.
exchange-session-closed = this exchange was idle for too long and was closed. Start the exchange again.
exchange-type = the exchange "type={ $type }" is not served here. Choose goods (catalog) or orders (sale) in 1C.
exchange-mode = "type={ $type }&mode={ $mode }" is not served here. Check the kind of exchange in 1C.
exchange-method = a file must be sent by POST, not by { $method }. Check what stands between 1C and uzel.
exchange-file-name = this file name is not accepted: it is empty, too long or leads out of its folder. Rename the file in 1C.
exchange-files = more than { $max } files in one exchange. Send fewer at a time.
exchange-chunk-large = a chunk is larger than { $max } bytes. Set a smaller chunk in 1C (it should follow file_limit).
exchange-file-large = the file is larger than { $max } bytes. Split the export in 1C.
exchange-no-space = the disk of uzel is full. Free some space, then repeat the exchange.
exchange-disk = the disk of uzel failed: { $detail }. Repeat the exchange; if it fails again, look at the log of uzel.
exchange-body = the chunk did not come whole: { $detail }. Repeat the exchange.
exchange-unknown-file = { $file }: such a file was not uploaded in this exchange. Repeat the exchange from the beginning.
exchange-waiting = waiting for its turn
exchange-applying = done: { $done } of { $total }
exchange-applied = applied: { $count }
exchange-unchanged = unchanged: { $count }
exchange-repeated = came before: { $count }
exchange-filtered = not used: { $count }
exchange-quarantined = in quarantine: { $count }; look with `uzel quarantine list`
