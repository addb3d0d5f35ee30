## relay: a small daemon on a public host

config-relay-address = address in [relay] is "{ $address }"; the address of the relay without a path is wanted. Write, for example: address = "https://in.company.ru"
config-relay-name = the name relay is taken by the relay. Give the connection another name.

relay-no-settings = the settings of the relay cannot be read: { $detail }. Make the folder with `uzel relay init --from FILE -d { $folder }`.
relay-office-folder = Uzel itself lives in { $folder } (uzel.toml). Take another folder for the relay.
relay-bundle-damaged = { $path } is not a file for a relay. Make it in the office with `uzel relay export FILE` and copy the whole of it.
relay-bundle-newer = { $path } was made by a newer Uzel. Update the relay.
relay-state-damaged = { $path } does not read. Put the file back from a copy; without one run `uzel relay init --from FILE --renew`: the relay gets a new name, and the office takes everything in its journal anew.
relay-state-newer = { $path } was written by a newer Uzel. Update the relay.
relay-state-missing = { $path } is not there, and without it the office cannot tell what it has. Put the file back from a copy; without one run `uzel relay init --from FILE --renew`: the relay gets a new name, and the office takes everything in its journal anew.
relay-journal-short = the journal of the relay has { $head } entries, and the office has taken { $confirmed }: the journal was put back to an earlier state. Put the newer journal back; without it run `uzel relay init --from FILE --renew`.
relay-read-cut = reading the journal was cut short: { $detail }
relay-body = a body in the journal of the relay does not read: { $detail }. Check it on the relay: `uzel journal verify`.

relay-no-address = { $file } names no relay. Add [relay] and address = "https://in.company.ru", the address of the machine where it will run.
relay-no-token = { $name } is missing: the relay cannot know the office. Run `uzel relay export FILE`, and `uzel relay init --from FILE` on the relay.
relay-nothing = there is nothing to take: no connection waits for forms or webhooks. Add one to uzel.toml and run `uzel init`.

relay-unreachable = the relay { $host } does not answer ({ $detail }). What it took lies there; Uzel tries again. If this lasts, look at `uzel relay status` on that machine.
relay-cut = the link to the relay { $host } is cut ({ $detail }). What it took lies there; Uzel tries again and asks for smaller portions. If this lasts, check the line.
relay-damaged = the answer of the relay { $host } was spoilt on its way. Uzel asks again. If this lasts, check that nobody between the two changes answers.
relay-busy = status { $status } comes from before the relay { $host }. What it took lies there; Uzel tries again. If this lasts, look at `uzel relay status` and the log of the web server on that machine.
relay-token = the relay { $host } does not know this office. Run `uzel relay export FILE` here and `uzel relay init --from FILE` on the relay, then restart the relay.
relay-foreign = something that is no relay answers at { $host }. Check address in [relay], and that the web server on that machine passes /relay/ on to the relay.
relay-fenced = the relay { $host } gives what it takes to another office: a copy of this folder is at work. Stop the copy that is not wanted and restart the other. Nothing more is pulled here.
relay-other = another relay is at { $host } now.
relay-rolled-back = the journal of the relay { $host } was put back to an earlier state: it is shorter than, or another than, the one that Uzel pulled from. Put the newer journal back; without it run `uzel relay init --from FILE --renew` on the relay.
relay-newer = the relay { $host } is newer than this Uzel. Update Uzel: what was taken waits on the relay.
relay-refused = the relay { $host } refuses: { $detail }
relay-entry = message { $position } of the relay does not read. Update both sides to one version; if that does not help, check the journal on the relay: `uzel journal verify`.
relay-anew = the relay { $host } was made anew. Everything up to message { $position } of the one before it was pulled; what it took later is only in its old folder. If you have that, put it back; else ask the senders to send again.
relay-gap = the relay { $host } no longer has messages { $from } to { $to }: they were pulled earlier and removed in time. If this folder was restored from a backup they are missing here: compare with the CRM.
relay-clock = the clock of the relay { $host } and the clock of this machine differ by { $seconds } s. Turn synchronisation of time on, on both.

relay-said-fenced = another office attached later
relay-said-other = this is another relay
relay-said-rolled-back = this is not the journal that was pulled from
relay-said-asked = the request does not read

cli-relay = The relay: takes forms and webhooks on a public host, and the office pulls them
cli-relay-export = Write the file for the relay: connections, secrets of their addresses and signatures. Nothing in it opens the CRM or 1C
cli-relay-export--file = Where to write it
cli-relay-export-example-1 = uzel relay export relay.json -d /var/lib/uzel
cli-relay-init = Make a relay's folder from the office's file, or renew the connections in it
cli-relay-init--from = The office's file
cli-relay-init--renew = Give the relay a new name: after state.json was lost or the journal put back to an earlier state
cli-relay-init-example-1 = uzel relay init --from relay.json -d /var/lib/uzel-relay
cli-relay-run = Start the relay and work until stopped
cli-relay-run--listen = Address to listen on; else that of the settings
cli-relay-run--log-json = Log as lines of JSON
cli-relay-run-example-1 = uzel relay run -d /var/lib/uzel-relay
cli-relay-status = State of the relay: in its folder what was taken and pulled, in the folder of Uzel how pulling goes
cli-relay-status-example-1 = uzel relay status -d /var/lib/uzel-relay
cli-relay-exported = Written: { $file }. The relay will take messages for: { $connections }.
cli-relay-left-out = The exchange with 1C ({ $connections }) does not go through the relay: 1C talks to Uzel itself.
cli-relay-exported-next = There are secrets in the file. Copy it to the machine of the relay (scp), run `uzel relay init --from { $file }` there, and remove both copies.
cli-relay-next = Next: `uzel relay run -d { $folder }`, and give these addresses to the sites. The office's file is no longer needed: remove it.
cli-relay-full = There is little free space and intake is closed: senders get 503 and try again. Free some.
cli-section-relay = Relay
cli-column-relay = Name of the relay
cli-column-relay-waiting = Waiting on the relay
cli-column-relay-pulled = Pulled up to
cli-column-confirmed = The office has up to
cli-column-contact = Last contact
cli-column-address = Address
cli-column-connections = Connections
cli-column-free = Free, MiB
cli-relay-state-running = running
cli-relay-state-stopped = stopped
cli-relay-state-never = not yet
cli-relay-state-off = no daemon runs
cli-relay-state-starting = starting
cli-relay-state-pulling = pulling
cli-relay-state-unreachable = does not answer
cli-relay-state-token = does not know the office
cli-relay-state-foreign = something else answers
cli-relay-state-fenced = gives to another office
cli-relay-state-other = another relay
cli-relay-state-rolled-back = journal put back
cli-relay-state-newer = newer than Uzel
cli-relay-state-refused = refuses
cli-relay-state-own = cannot be kept here
