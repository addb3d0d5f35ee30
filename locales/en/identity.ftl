## identity: problems of the rules file
identity-phone = "{ $word }" is not a telephone number in full. Write it as +79161234567.
identity-local-part = "{ $word }" is not the part of an address before the @. Write it like this: info
identity-section = the section [{ $name }] is missing. Add it as in the built-in rules.

## identity: why a record belongs to a client
identity-by-foreign = the id { $id } ({ $kind }) of { $connection } is known
identity-by-inn = the INN { $inn } is the same
identity-by-phone = the telephone { $contact } is the same
identity-by-email = the e-mail { $contact } is the same
identity-by-messenger = the account { $contact } is the same
identity-by-visitor = the same browser, and the record names nobody else
identity-nothing-known = nothing in the record is known yet
identity-no-keys = the record names nothing that identifies a client
identity-other-unit = the INN is the same and the KPP differs: another unit of the same legal entity
identity-other-name = the names differ: { $contact } may have passed to somebody else. Check the client.
identity-merges = { $count ->
    [one] the record ties { $count } more client to this one; the oldest is kept
   *[other] the record ties { $count } more clients to this one; the oldest is kept
}

## identity: why not
identity-shared-listed = { $contact } is listed as shared and identifies nobody
identity-shared-by-many = { $contact } is shared by { $count } clients and identifies nobody
identity-not-alone = { $contact } alone does not identify a client by the rules
identity-veto-inn = not { $client }: its INN is another one
identity-veto-kind = not { $client }: one is a company, the other a person
identity-veto-foreign = not { $client }: { $connection } has both as separate objects ({ $kind })
identity-veto-not-same = { $client } and { $other } were marked as not the same
identity-conflict = the record fits several clients that must not be merged; choose one of them, or mark them as not the same

## identity: what was odd
identity-contacts-full = the client has more than { $max } contact points; the oldest of the weakest source was moved to the other fields. Check for a switchboard or a shared mailbox.
identity-kpp-differs = the KPP differs from the one held: another unit of the same legal entity.
