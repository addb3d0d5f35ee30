## keeping: snapshots, what is kept and for how long
snapshot-newer = the snapshot { $file } has format { $version }, and this uzel knows { $known }. Update the program.
snapshot-damaged = the snapshot { $file } is damaged at byte { $offset }. Nothing is lost while the journal or an older snapshot is there: make a new one with `uzel snapshot make`, and check the disk.
snapshot-failed = the snapshot { $file } cannot be read or written: { $detail }. Check the disk: free space, rights, errors in the system log.
config-schedule = "{ $text }" is no schedule. Write five fields, for example "0 3 * * *" (every night at three) or "30 2 * * SUN"; days of the week are words: MON to SUN.
app-store-behind = the store stands at { $checkpoint }, and the journal begins at { $first }: it is set aside and made anew from a snapshot
app-rebuild-removed = the journal begins at entry { $first }, older ones were removed by retention, and there is no sound snapshot that reaches it. Bring a snapshot back from a backup into the folder snapshots, or restore the backup: `uzel restore`.
cli-snapshot = Snapshots: all data at one moment, from which the store is made anew
cli-snapshot-make = Make a snapshot now (also beside a running daemon)
cli-snapshot-list = What snapshots there are
cli-snapshot-verify = Read every byte of each snapshot
cli-snapshot-make-example-1 = uzel snapshot make -d /var/lib/uzel
cli-snapshot-list-example-1 = uzel snapshot list
cli-snapshot-verify-example-1 = uzel snapshot verify --json
cli-snapshot-made = Snapshot { $file }: everything up to entry { $position }, rows { $rows }, hash of all rows { $hash }. Read back and compared.
cli-snapshot-sound = Every snapshot is whole.
cli-column-made-at = made (UTC)
cli-column-rows = rows
cli-rebuild--whole = Begin at the first entry of the journal, not at the newest snapshot
cli-rebuild-snapshot = Begun at the snapshot of entry { $position }; from the first entry: --whole

## backup and restore
backup-not-empty = the folder { $folder } is not empty. Name a new or an empty one.
backup-manifest = { $file } does not read: { $detail }. This is no backup of uzel, or it was not finished: make it again.
backup-manifest-changed = { $file } is not what it was when the backup was made ({ $hash } says so). Do not restore from it; take another backup.
backup-newer = the backup { $file } has format { $version }, and this uzel knows { $known }. Update the program.
backup-file-changed = { $file } is not what it was when the backup was made. Do not restore from it; take another backup.
backup-file-missing = { $file } cannot be read: { $detail }. The backup is not whole; take another one.
backup-file-foreign = { $file } is not part of the backup. Move it away.
app-restored = this folder was restored from a backup: nothing is written to any CRM until you say `uzel restore --release`. The CRM may know more than this backup.
cli-backup = Backups: a copy of everything, made while the daemon works
cli-backup-make = Make a backup in a new folder
cli-backup-make--target = Where: a new or an empty folder, best on another disk
cli-backup-make--with-secrets = Copy the secrets of connections too (vault.json); keep such a backup where only you can read it
cli-backup-verify = Read every byte of a backup and compare it with its manifest
cli-backup-verify--source = The backup
cli-backup-make-example-1 = uzel backup make /mnt/backup/uzel-2026-11-22 -d /var/lib/uzel
cli-backup-verify-example-1 = uzel backup verify /mnt/backup/uzel-2026-11-22
cli-backup-made = Backup { $target }: entries { $first } to { $last }, files: { $files }. Each was read back. From time to time rehearse: `uzel restore { $target } -d NEW-FOLDER`.
cli-backup-with-secrets = The secrets of connections are in it: keep it where only you can read it.
cli-backup-without-secrets = The secrets of connections are not in it (--with-secrets puts them in).
cli-backup-sound = The backup is whole: entries { $first } to { $last }, files: { $files }.
cli-restore = Make a folder of a backup, or let a restored folder write again
cli-restore--source = The backup; the new folder is named by -d
cli-restore--release = Let the restored folder write to its CRMs again, as its settings say
cli-restore-example-1 = uzel restore /mnt/backup/uzel-2026-11-22 -d /var/lib/uzel-new
cli-restore-example-2 = uzel restore --release -d /var/lib/uzel-new
cli-restore-done = Restored: { $folder }, everything up to entry { $last } (backup of { $made } UTC). Hash of all rows { $hash }.
cli-restore-held = Nothing is written to any CRM yet: it may know more than this backup. Look at `uzel status` and `uzel outbox list`, then say `uzel restore --release` and restart the daemon. Nothing is made twice: what the backup does not know is looked for first.
cli-restore-secrets = The backup is without secrets: `uzel init -d FOLDER` makes those of forms and of 1C anew (their addresses and passwords change), those of CRMs are given again.
cli-restore-released = Released: from the next start on connections with mode = "live" are written to.
cli-restore-not-held = Nothing held this folder.
cli-restore-what = Name the backup, or say --release. Example: uzel restore /mnt/backup/uzel-2026-11-22 -d /var/lib/uzel-new

## retention
retention-young = stays: not old enough
retention-checkpoint = stays: the store has not passed it yet
retention-no-snapshot = stays: there is no sound snapshot yet (uzel snapshot make)
retention-snapshot = stays: the oldest snapshot kept holds everything up to entry { $position } only
retention-quarantine = stays: the record { $record } waits in quarantine (uzel quarantine list)
retention-import = stays: the file of entry { $position } is not wholly taken in
retention-referred = stays: entry { $position }, behind the oldest snapshot kept, refers to it
cli-retention = Remove entries of the journal that are older than asked for and no longer needed
cli-retention--dry-run = Only show what would go, and why the rest stays
cli-retention--days = Keep so many days, instead of [keep] journal_days
cli-retention-example-1 = uzel retention --dry-run --days 365
cli-retention-all = All of the journal is kept ([keep] journal_days = 0). To look what could go: uzel retention --dry-run --days 365
cli-retention-goes = goes
cli-retention-would = Would go: entries { $entries }, { $bytes } bytes; days kept: { $days }.
cli-retention-done = Gone: entries { $entries }, { $bytes } bytes; days kept: { $days }.
cli-column-until = until (UTC)
cli-column-verdict = verdict

## erasure of a person
query-filtered-erased = erased: it spoke of a person who asked to be forgotten
cli-privacy = Personal data
cli-privacy-erase = Erase a person: from the data, the journal, snapshots and files
cli-privacy-erase--client = The client; those merged into it go too
cli-privacy-erase--dry-run = Only show what would go
cli-privacy-erase-example-1 = uzel privacy erase cl_8_0 --dry-run
cli-privacy-would = Would be erased: { $clients }; deals { $deals }, documents { $documents }, interactions { $interactions }, entries of the journal { $entries }. There is no way back.
cli-privacy-erased = Erased: { $clients }; deals { $deals }, documents { $documents }, interactions { $interactions }, entries of the journal { $entries }.
cli-privacy-restart = The person is out of the data. The files (journal, snapshots, store) are cleaned when the daemon is next started: restart it, then the receipt is erasures/erasure-{ $position }.json.
cli-privacy-receipt = The files are clean. Receipt: erasures/erasure-{ $position }.json. Backups made before still hold the person: `uzel restore --erasures` erases again; or delete them.
cli-privacy-elsewhere = Foreign systems hold the person under these ids; erase there by hand, or it comes back from there:
cli-restore--erasures = List of erasures of the folder that was lost (erasures/list.json): people erased after the backup are erased again
cli-restore-no-erasures = No list of erasures was given: people who were erased after this backup are back in it. Their list is erasures/list.json of the folder that was lost or of a later backup: --erasures.
cli-restore-erasures = Erased again: clients { $count }.

## what is known of a person
cli-privacy-export = Give out all that is known of a person: fields with their sources, deals, interactions and the records as received
cli-privacy-export--client = The client; those merged into it come along
cli-privacy-export--out = File (never written over, readable by its owner only); .json is for programs, else a text. Without it: the terminal
cli-privacy-export-example-1 = uzel privacy export cl_8_0 --out answer.md
cli-privacy-export-there = There is a file { $file } already: name another, nothing is written over
cli-privacy-exported = Written to { $file }: clients { $clients }, deals { $deals }, received records { $records }. The file holds personal data: hand it to the person and delete it.
privacy-export-title = What is known of a person, as of { $at }
privacy-export-deal = Deal
privacy-export-documents = Documents
privacy-export-tasks = Tasks
privacy-export-interactions = Interactions
privacy-export-records = What was received, word for word
privacy-export-left-out = Received records that did not fit: { $count } (the newest). uzel journal show shows them.
privacy-export-elsewhere = Who else holds it: foreign systems, and the ids there
