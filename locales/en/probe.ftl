# Connections checked in practice: what is seen from outside and from inside.

## What is checked
probe-check-settings = Settings
probe-check-reach = Link
probe-check-let-in = Access
probe-check-dictionary = Dictionaries
probe-check-pipeline = Pipelines
probe-check-stage = Stages of deals
probe-check-lead-stage = Stages of leads
probe-check-source = Sources
probe-check-user = Employees in the CRM
probe-check-employees = Employees in the rules
probe-check-fields = Our fields
probe-check-quota = Load
probe-check-secret = Secret
probe-check-own = Intake
probe-check-public = Address from outside
probe-check-folder = Folder
probe-check-heard = Last message

## A foreign system
probe-reached = { $host } answers: name, connection, encryption and HTTP are in order
probe-reached-plain = { $host } answers: name, connection and HTTP are in order; there is no encryption (http)
probe-let-in = we are known and let in
probe-not-let-in = { $host } answers and does not let us in: { $reason }. Check that the address of the webhook was copied whole and the webhook was not deleted; give a new one by uzel init --bitrix24 ADDRESS
probe-not-answered = not known, the answer: { $reason }
probe-nothing-asked = the connector does not say what to ask; check the settings: uzel lint
probe-no-dictionary = the dictionary { $stream } is not read, the answer: { $reason }. Check the rights of the connection
probe-dictionary-long = the dictionary { $stream } is long, the first { $rows } rows are shown
probe-no-others = none are seen
probe-words = { $count }: { $names }
probe-words-of = "{ $of }", { $count }: { $names }
probe-words-gone = { $count }: { $names }; dismissed: { $gone }
probe-and-more = { " " }and { $count } more
probe-employees-none = nobody yet, leads are not distributed. To begin the file of rules: uzel init --employees
probe-employees-known = the CRM knows them all: { $count }
probe-employees-strange = { $names }. Correct ids in rules/employees.toml
probe-employee-off = { $key } (id { $id }) is dismissed in the CRM
probe-employee-unknown = { $key }: the CRM has no id { $id }
probe-fields-there = all there: { $there }
probe-fields-missing = { $there } there, { $missing } missing: { $names }. Uzel makes them when you apply a plan
probe-quota = requests made: { $asked }; Uzel sends at most { $requests } in { $seconds } s
probe-quota-spent = requests made: { $asked }; Uzel sends at most { $requests } in { $seconds } s; the busiest method has spent { $spent } s of { $limit } in 10 minutes

## Our own side
probe-no-daemon = cannot be checked: the daemon does not run. Start it (uzel run) and try again
probe-own-https = cannot be checked: the daemon answers by HTTPS and its name is not set. Write public_url in [listen]
probe-own-good = a test message was taken: address, secret and signature are right; it is not in the journal
probe-own-bad = a test message was not taken: { $reason }. Restart the daemon if secrets or settings were changed
probe-own-answer = the answer was { $status }
probe-public-none = not set: only this machine can come here. Write public_url in [listen] and put a web server with HTTPS in front of the daemon
probe-public-good = { $url } leads here
probe-public-bad = { $url } does not lead here from this machine: { $reason }. Check the web server in front; sometimes an address opens from outside only
probe-folder-readable = { $path } is readable, files: { $files }
probe-folder-unreadable = { $path } is not readable: { $detail }. Make the folder, or give rights to the user that Uzel runs as
probe-folder-unwritable = files that were read cannot be moved in { $path }. Give the right to write, or set after = "leave"
probe-heard = { $at }, { $days ->
    [0] { $hours ->
        [0] { $minutes ->
            [one] { $minutes } minute ago
           *[other] { $minutes } minutes ago
        }
        [one] { $hours } hour ago
       *[other] { $hours } hours ago
    }
    [one] { $days } day ago
   *[other] { $days } days ago
}
probe-never-heard = nothing has come yet
probe-no-connection = there is no connection "{ $connection }". Those that are: uzel status

## Link
net-reach-dns = the name { $host } is not found (DNS). Check it for a slip, and whether DNS works on this machine
net-reach-tcp = { $host }: port { $port } does not answer (TCP): { $detail }. Check whether the system runs and whether the firewall lets us out to it
net-reach-tls = { $host } answers, but no encrypted connection comes about (TLS): { $detail }. Check the certificate of the system and the clock of this machine
net-reach-http = { $host } is connected, but there is no answer (HTTP): { $reason }. Check the address; if the system is busy, try again later
connector-probe-sink = [[probe]] asks by the address, the rules and the quota of [sink], which is not there. Add [sink] or remove [[probe]].
