## store: the derived rows on disk
store-fenced-checkpoint = another writer has moved the store: this one stands at { $ours }, the store at { $stored }. Stop this process; only one may apply the journal.
store-fenced-epoch = a later leader has taken the store over: this one has epoch { $ours }, the store { $stored }. Stop this process; only one may apply the journal.
store-reserved-key = a key of the store itself was about to be written; nothing was. This is a fault of uzel: report it.
store-broken = the store { $path } failed during an earlier change and takes nothing more. Restart uzel; it goes on from the journal.
store-locked = the store { $path } is open in another process. Stop that one, or point `data` to another folder.
store-failed = the store { $path } cannot be read or written: { $detail }. Check the disk: free space, rights, errors in the system log.
store-damaged = the store { $path } is damaged ({ $detail }). It holds nothing that the journal has not: it is set aside and rebuilt.
store-newer = the store { $path } has format { $version }, and this uzel knows { $known }. Update the program, or move the folder away to have it rebuilt.
store-newer-engine = the store { $path } was written by another version of the storage engine ({ $detail }). Update the program, or move the folder away to have it rebuilt.
store-set-aside = the damaged store { $path } could not be renamed: { $detail }. Move the folder away by hand and start again.

## tables: rows of the store
table-row-damaged = table { $table }: the row { $key } does not read. Stop uzel, move the store folder away and start again: it is rebuilt from the journal.
table-row-newer = table { $table }: the row { $key } has version { $version }, written by a newer uzel; this one knows { $known }. Update the program.
table-key-damaged = table { $table }: the key { $key } does not read. Stop uzel, move the store folder away and start again: it is rebuilt from the journal.
