## mapping, config, catalog

mapping-step = "{ $word }" is no step; did you mean "{ $near }"?
mapping-step-list = "{ $word }" is no step of a path. Known: { $known }.
mapping-step-argument = the step "{ $step }" needs a word after it, for example: { $step } #
mapping-field = there is no canonical field "{ $word }"; did you mean "{ $near }"?
mapping-field-list = there is no canonical field "{ $word }" here. Known: { $known }.
mapping-name-missing = { $field } needs a name after the point, for example: { $field }.order = "id"
mapping-from-kind = { $field } wants a path, a list of paths, or a table with `from`.
mapping-no-source = { $field } needs either `from` (a path) or `const` (a text), and not both.
mapping-kind-missing = the table [{ $section }] does not say its kind. Add, for example: kind.const = "order" to [document], or kind.const = "form" to [interaction].
mapping-conversion = { $field } cannot be filled by the conversion "{ $conversion }". Fitting: { $fitting }.
mapping-dictionary = there is no dictionary "{ $word }"; did you mean "{ $near }"?
mapping-dictionary-list = there is no dictionary "{ $word }". Declared in this file: { $known }. Add [dictionary.{ $word }].
mapping-dictionary-shape = "{ $name }" must be a table of words: "their word" = "our word".
mapping-dictionary-kind = the translation of "{ $word }" must be text.
mapping-dictionary-twice = the word "{ $word }" is in the dictionary twice (case does not count). Remove one.
mapping-translation = { $field } does not understand "{ $word }"; did you mean "{ $near }"?
mapping-translation-list = { $field } does not understand "{ $word }". It understands: { $known }.
mapping-otherwise-missing = { $field } has a dictionary and does not say what happens to a word that is not in it. Add otherwise = "keep", "drop" or "quarantine".
mapping-otherwise-alone = `otherwise` of { $field } means nothing without a dictionary. Add `map` or remove it.
mapping-otherwise-closed = { $field } understands only its own words, so an unknown one cannot be kept. Write otherwise = "drop" or "quarantine".
mapping-each-single = { $field } holds one value. Remove `each`.
mapping-each-join = { $field } cannot both take each value and join them. Keep one of `each` and `join`.
mapping-default = the value "{ $text }" does not fit { $field }. Correct it.
mapping-default-word = the value "{ $text }" does not fit { $field }. It understands: { $known }.
mapping-condition = a condition asks one thing. Write one of: filled = true, filled = false, equals = "...", differs = "...".
mapping-lines-to = lines cannot go to "{ $word }"; did you mean "{ $near }"?
mapping-line-word = { $field }: "{ $word }" does nothing in lines; only from, as, const and default do. Take it away.
mapping-lines-to-list = lines cannot go to "{ $word }". Choose from: { $known }.
mapping-word = this word is not understood; known: { $known }. The field is left empty. Add a dictionary to the mapping.
mapping-word-dropped = the dictionary does not have this word, the field is left empty. Add the word to the mapping.
mapping-word-unknown = { $field }: the word "{ $word }" is not in the dictionary of { $file }. Add it there and retry the record.
mapping-days = this is not a number of days, the field is left empty.
mapping-extra-full = only { $kept } of the fields that no mapping names were kept, { $refused } were not; the journal has them all.
mapping-required-missing = { $field } is missing: nothing is filled at { $paths }. Add a path to { $file }, or correct the record in its source, and retry.
mapping-required-unreadable = { $field } cannot be read: what stands at { $paths } does not convert. Correct { $file } or the record in its source, and retry.
mapping-require-any = none of { $fields } is filled, so nobody can be found by this record. Looked at: { $paths }. Add a path to { $file } and retry, or discard the record.
mapping-name = there is nothing called "{ $word }" to send; did you mean "{ $near }"?
mapping-name-list = there is nothing called "{ $word }" to send. Known: { $known }.
mapping-no-fields = the table [fields] is missing: nothing would be sent. Add it.
mapping-out-kind = the field { $field } wants a name of ours, a table, or a list of tables.
mapping-out-source = the field { $field } needs exactly one of `from`, `const` and `text`.
mapping-out-const = the constant of { $field } must be text, a whole number, or true or false.
mapping-out-type = `type` of { $field } means something only with as = "multifield". Remove it.
mapping-out-as = the field { $field } is a constant or a text: `as` means nothing there. Remove it.
mapping-out-format = { $name } cannot be written to { $field } in that form. Choose another `as`.
mapping-out-quarantine = { $field }: a delivery is not refused for a word. Write otherwise = "keep" or "drop".
mapping-out-otherwise = { $field } has a dictionary and does not say what happens to a word that is not in it. Add otherwise = "keep" or "drop".
mapping-template-brace = an opened brace is not closed on its line. Close it after the name.
mapping-create-only = `create_only` is true, false or "unless_owned", "unless_rules".

case-kind-missing = there is no case of kind "{ $kind }" for { $mapping }. Add one: a mapping is not done until it was shown such a record.
case-differs = the case "{ $case }" gives something else ( - expected, + got ): { $difference }
case-not-same = the case "{ $case }" is not about the same thing as its original. This one: { $own }. The original: { $other }.
case-same-as = there is no case "{ $word }"; did you mean "{ $near }"?
case-same-as-list = there is no case "{ $word }". Cases of this file: { $known }.
case-received-at = "{ $text }" is not an instant. Write, for example: 2026-03-02T09:00:00Z
case-expects-nothing = the case "{ $case }" expects nothing. Add `expect` or `same_as`.
case-duplicate-of = the case "{ $case }" is a duplicate and does not say of which. Add same_as = "name of the case".
case-input = a case needs exactly one input: `json`, `form` or `xml`.

config-variable = the variable { $variable }: { $detail }
config-zone = there is no zone "{ $zone }". Write a name such as "Europe/Moscow" or "Asia/Yekaterinburg".
config-switch-over = "switch_over" is "{ $text }", and must be a moment. Write a time of the company's zone, for example: switch_over = "2026-12-01T00:00"
config-region = "{ $region }" is no region. Write two capital letters: RU, KZ, BY.
config-currency = "{ $currency }" is no currency. Write three capital letters: RUB, KZT, USD.
config-inn = "{ $inn }" is no INN. Write 10 or 12 digits.
config-address = "{ $address }" is no address to listen at. Write, for example: 127.0.0.1:8690
config-public-url = "{ $url }" is no address of a site. Write, for example: https://in.company.ru
config-proxy = "{ $proxy }" is neither an address nor a network. Write, for example: 127.0.0.1 or 10.0.0.0/8
config-mailbox = "{ $text }" is not an e-mail address. Write, for example: "Uzel <uzel@company.ru>" or "admin@company.ru"
config-mail-nobody = It is not said who is written to. Write, for example: to = ["admin@company.ru"]
config-mail-plain = The password would travel in the clear. Set tls = "starttls" or "tls", or take login away
config-target = "{ $url }" is not an address. It begins with https://
config-connection-reserved = The name "{ $name }" is taken: secrets of the service itself are kept under it. Name the connection otherwise
config-connection-name = "{ $name }" cannot be a name here. Use a-z, 0-9, _ and -, 24 characters at the most.
config-connector = the connection "{ $connection }": there is no connector "{ $word }"; did you mean "{ $near }"?
config-connector-list = the connection "{ $connection }": there is no connector "{ $word }". Known: { $known }.
config-secret-in-file = "{ $setting }" is a secret and must not stand in this file. Remove it here; keep it in the vault under { $name }, or give it by the variable { $variable }.

catalog-file-unreadable = the file cannot be read: { $detail }. Check its rights and that it is UTF-8.
catalog-file-missing = the file is missing. It is built in; a configuration without it is damaged: take it from a backup.
catalog-owner = there is no connector "{ $word }"; did you mean "{ $near }"?
catalog-owner-list = there is no connector "{ $word }". Known: { $known }.
catalog-owners-many = the group { $group } has more than { $max } owners. Leave the strongest.
catalog-no-connection = the connection "{ $connection }" is not in the configuration any more. Put it back into uzel.toml and retry the record, or discard it.
catalog-no-mapping = there is no mapping for records of the stream "{ $stream }". Write { $file } and retry the record.
catalog-no-out-mapping = the sink object "{ $object }" needs this mapping, and it is not there. Write the file.
catalog-other-object = the mapping tells of another object than the sink's "{ $object }". Correct `object`.
catalog-stranger = this file belongs to no stream and no object; did you mean "{ $near }"?
catalog-stranger-list = this file belongs to no stream and no object of its connector. Known: { $known }.
catalog-bundle-damaged = the kept configuration is damaged. Take the folder "configurations" from a backup.
catalog-bundle-newer = the kept configuration was written by a newer uzel. Update the program.
catalog-contact-email = "{ $word }" is not an e-mail address. Write it like this: zakaz@romashka.ru
catalog-contact-domain = "{ $word }" is not a domain. Write it without the at sign: romashka.ru
catalog-contact-inn = "{ $word }" is not an INN: it has 10 or 12 digits.
mapping-out-within = { $field }: the field { $within }, within which the word is looked for, must stand above. Move it up.
mapping-out-within-alone = { $field }: within means nothing without words. Add words, or take within away.
catalog-words = the system gives no dictionary "{ $word }"; did you mean "{ $near }"?
catalog-words-list = the system gives no dictionary "{ $word }". There are: { $known }.
