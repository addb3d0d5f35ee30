## edits by hand, decisions about many, explanations
edit-nothing = nothing to set and nothing to release. Write FIELD=VALUE or --release FIELD.
edit-pair = "{ $text }" is no FIELD=VALUE. Write for example: inn=7707083893
edit-twice = { $field } is set twice. Keep one.
edit-field = the field "{ $field }" cannot be set by hand. These can: { $known }.
edit-field-near = the field "{ $field }" cannot be set by hand; did you mean { $near }? These can: { $known }.
edit-value = { $field }: "{ $value }" does not read as such a value; nothing is changed.
edit-set = { $object }: set by hand: { $set }. Sources do not change it until you release it.
edit-released = { $object }: released: { $released }. The value stays until a source says something.
edit-both = { $object }: set by hand: { $set }; released: { $released }.
bulk-would = { $count ->
    [one] It would be done for { $count } of them. Add --yes to do it.
   *[other] It would be done for { $count } of them. Add --yes to do it.
}
bulk-done = done: { $count }
explain-by-person = set by a person: counts until it is released
explain-released = was set by a person and released: the next word of any source counts
explain-newest = nobody owns "{ $group }": the newest value counts
explain-not-owned = "{ $group }" belongs to { $owners }, which has not said anything: the newest value counts
explain-owner = { $source } owns "{ $group }": { $owners }
explain-lost-person = set by a person since
explain-lost-owner = less right to "{ $group }": { $owners }
explain-lost-older = older
explain-lost-then = other rules were in force then, or a merge or a split came since
explain-person = a person
explain-same = They are one client.
explain-two = They are two clients.
explain-nothing-shared = they share no telephone, address or INN
explain-first = the first
explain-no-key = no key of it is held by an earlier record: it came with a merged client, by a person's decision, or by older mappings
explain-left-out = older records that are not shown: { $count }
cli-section-records-of-client = Its records, and the keys they share with earlier ones
cli-section-ignored = Contact points that tie nobody
cli-section-not-same = By a person's word not the same as
cli-client-edit = Set fields by hand; they win over every source until released
cli-client-edit--id = Id of the client
cli-client-edit--set = Field and value: inn=7707083893, phone=+79123456789. Fields: name, company, inn, kpp, ogrn, address, responsible, decides, phone, email
cli-client-edit--release = Let go of a field set by hand: the next word of a source counts
cli-client-edit-example-1 = uzel client edit cli_0000000004000 inn=7707083893 "name=Ромашка ООО"
cli-client-edit-example-2 = uzel client edit cli_0000000004000 --release inn
cli-client-why = Why the records of a client are one client: keys, merges and splits, what was ignored
cli-client-why--id = Id of the client
cli-client-why--other = Another client: are the two one, and why (not)
cli-client-why-example-1 = uzel client why cli_0000000004000
cli-client-why-example-2 = uzel client why cli_0000000004000 cli_0000000005000
cli-client-where = Where each value is from, by which rule it counts, and what lost to it
cli-client-where--id = Id of the client
cli-client-where--field = Only this field
cli-client-where-example-1 = uzel client where cli_0000000004000 inn
cli-deal-edit = Set fields by hand; they win over every source until released
cli-deal-edit--id = Id of the deal
cli-deal-edit--set = Field and value: price=120000. Fields: title, pipeline, stage, price, source, responsible, comment, product_line, close_date, next_step, deferred
cli-deal-edit--release = Let go of a field set by hand: the next word of a source counts
cli-deal-edit-example-1 = uzel deal edit dl_0000000004000 price=120000 stage=КП
cli-deal-where = Where each value is from, by which rule it counts, and what lost to it
cli-deal-where--id = Id of the deal
cli-deal-where--field = Only this field
cli-deal-where-example-1 = uzel deal where dl_0000000004000 price
cli-outbox-resend--all = Every open delivery to this connection
cli-outbox-resend--dead = Every dead letter of this connection
cli-outbox-resend--since = Also what it has confirmed since: the CRM was restored from a copy
cli-outbox-resend--yes = Do it; without it only the number is said
cli-outbox-resend-example-2 = uzel outbox resend bitrix24 --dead --yes
cli-outbox-resend-example-3 = uzel outbox resend bitrix24 --since "2026-11-22 15:00" --yes
cli-quarantine-retry--stream = Records of this stream: lead, or site/lead
cli-quarantine-retry--since = Records that wait since then or later
cli-quarantine-retry-example-3 = uzel quarantine retry --stream site/lead --since 2026-11-22
cli-quarantine-discard--all = Every record in quarantine
cli-quarantine-discard--stream = Records of this stream: lead, or site/lead
cli-quarantine-discard--since = Records that wait since then or later
cli-quarantine-discard--yes = Do it; without it only the number is said
cli-quarantine-discard-example-2 = uzel quarantine discard --stream site/lead --reason test --yes
