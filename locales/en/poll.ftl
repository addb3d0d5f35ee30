# Reading foreign systems: manifests of pollers, what is found, what is wrong.

connector-poll-how = a poll says how: by follow, by load or by whole. Add one of them.
connector-poll-time = changes are followed by their time. Add time = "..." and newest = {"{"} path = ... {"}"}.
connector-poll-get = what a comparison of ids misses is asked for by its id. Add get = {"{"} path = ..., record = ... {"}"}.
connector-poll-groups = "{ $name }": words belong to one dictionary (dictionary = "user"), or a row says to which (group = "..." and groups = {"{"} THEIRS = "ours" {"}"}). Write one of the two.
connector-poll-sink = a poller asks by the address, the rules and the quota of [sink]. Add [sink].
connector-poll-transport = transport = "poll" and [[source.poll]] belong together. Add what is missing, or remove the other.
connector-poll-stream = no stream is called "{ $word }"; did you mean "{ $near }"?
connector-poll-stream-list = no stream is called "{ $word }". Declare it in [[source.stream]]; declared: { $known }.
mapping-lookup = { $field } cannot be looked up in a dictionary of the source. These can: { $known }.

poll-word-unknown = the dictionary "{ $dictionary }" of that system has no such id yet; the id itself is kept. It gets its name with the next change of the record, once the dictionary has been read.
poll-deleted-there = the object was deleted in that system, so it is not made there again by itself. To make it anew: uzel outbox resend; to leave it: uzel outbox discard.
poll-not-rows = the page is no list of rows. The bytes are in the journal: uzel journal show.
poll-no-answer = the system gave no answer. It is asked again in half a minute.
poll-pipeline = what was read could not be applied: { $detail }. See uzel status.
poll-sweep-many = there are more than { $max } objects: they are not compared for deletions. Tell the developers.

control-load = The history of { $connection } is being loaded. How far it is: uzel source list.
poll-not-read = { $connection } is not read: read = false, or its connector is not asked. See uzel.toml.

cli-load = Load the whole history of a connection; goes on where it was
cli-load--connection = Connection (its name in uzel.toml)
cli-load-example-1 = uzel load bitrix24 -d /var/lib/uzel
cli-load-example-2 = uzel load bitrix24 --json
cli-load-done = The history of { $connection } is loaded. Nothing was told to anybody because of it.
cli-source = What is read from foreign systems
cli-source-list = Streams: how far each is read, and what is wrong; exit code 3 when something is
cli-source-address = The address that a source sends to, and nothing else (a secret is in it)
cli-source-address--connection = Name of a connection
cli-source-address-example-1 = uzel source address site
cli-source-no-address = "{ $connection }" has no address to send to. There is one of: { $known }
cli-source-list-example-1 = uzel source list -d /var/lib/uzel
cli-column-source-connection = Connection
cli-column-source-stream = Stream
cli-column-source-told = Tells by itself
cli-source-told-called = at once
cli-source-told-queue = by a queue
cli-source-told-called-and-queue = at once and by a queue
cli-column-source-time = Newest change there
cli-column-source-news = News came
cli-column-source-read = Read
cli-source-waits = waits for the quota of { $connection } until { $until }
cli-source-state-off = off
cli-source-state-not-offered = not offered by this system
cli-source-state-not-begun = not begun
cli-source-state-new-only = new only; history: uzel load
cli-source-state-loading = loading
cli-source-state-followed = followed
cli-source-state-listened = listened to
cli-source-state-whole = dictionary
connector-poll-owner = rows have one owner for the whole stream (stream = "deal"), or a row says which (kind = "..." and kinds = {"{"} THEIRS = "stream" {"}"}). Write one of the two.
connector-poll-each = $ids and of = "..." belong together: when several are asked for at once, a row must say whose it is.
poll-many-rows = Stream { $stream }: the records have too many rows to be read in one go. Uzel tries again by itself; if this repeats, tell the developers.
