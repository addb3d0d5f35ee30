## identity: whose a record is
identity-is-new = a new client
identity-is-same = the client { $client }
identity-is-merge = { $client } and { $others } are one client
identity-is-review = it may be of { $clients }, and they must not become one: look at them and merge or leave them
identity-no-keys = the record has nothing to find a client by
identity-nobody = no client fits what the record tells
identity-same-foreign = { $client } has the same card: { $kind } { $id }
identity-same-inn = { $client } has the same INN { $inn }
identity-same-contact = { $client } has the same contact { $contact }
identity-shared-phone = the number { $contact } is in the list of numbers that identify nobody (rules/identity.toml, shared.phones)
identity-shared-email = the address { $contact } is in the list of addresses that identify nobody (rules/identity.toml, shared.emails)
identity-shared-local-part = { $contact } is a mailbox of a whole company (rules/identity.toml, shared.local_parts)
identity-weak = { $client } has one contact in common, and such a contact alone identifies nobody (rules/identity.toml, alone)
identity-veto-card = not { $client }: it has another { $kind } in { $connection }
identity-veto-inn = not { $client }: its INN is another one
identity-veto-kind = not { $client }: one is a person, the other a company
identity-veto-names = not { $client }: the contact is the same, the names of the companies differ. If they are one, merge them.
identity-pair-not-same = { $left } and { $right } stay apart: a person said that they are not the same
identity-pair-inn = { $left } and { $right } stay apart: their INNs differ
identity-pair-cards = { $left } and { $right } stay apart: they are two cards of one system
identity-pair-kind = { $left } and { $right } stay apart: one is a person, the other a company
identity-pair-names = { $left } and { $right } stay apart: the names of the companies differ
identity-chosen-strongest = { $client }: its evidence is the strongest
identity-chosen-unit = { $client }: the KPP is the same
identity-chosen-name = { $client }: the name is the same
identity-chosen-person = { $client }: the record does not tell of a company, and this one is the person
identity-chosen-oldest = { $client }: nothing tells them apart, this one is the oldest
identity-other-unit = KPP { $told } is of another unit of the same legal entity; the client keeps { $held }. If the client has moved, change the KPP in its card.
identity-contacts-full = the client has { $max } contacts, the most there may be; the weakest was put among the other fields. Check whether several clients were merged by mistake.

## identity: its rules
identity-rules-local-part = "{ $text }" is not what stands before @. Write it without @ and spaces, for example "info".
identity-rules-email = "{ $text }" is not an address. Write it whole, for example "no@no.ru".
identity-rules-phone = "{ $text }" is not a number. Write + and 7 to 15 digits, for example "+74950000000".
identity-rules-card = a kind of card is empty. Name it as the mappings do, for example "contact".
