## journal
journal-newer = the journal segment { $segment } has format { $version }; this program reads formats up to { $known }. Start the newer uzel that wrote it; the file was left as it is.
journal-open-failed = the journal cannot be opened at { $path }: { $cause }. Check that the disk is mounted and that the folder belongs to the user of uzel.
journal-read-failed = { $file } of the journal cannot be read. Check the disk, then run `uzel journal verify`.
journal-damaged = the journal segment { $segment } is damaged at byte { $offset }: entries from { $first } up to, but not including, { $next } cannot be read. Restore the segment from a backup, or accept the loss up to entry { $next }.
journal-bad-frame = the journal segment { $segment } is damaged at byte { $offset }: the entry { $position } cannot be read. Run `uzel journal verify`, then restore the segment from a backup.
journal-refuses = the journal takes no entries: its segment { $segment } is damaged at byte { $offset }, entries from { $first } up to, but not including, { $next } are lost. Restore the segment from a backup, or accept the loss up to entry { $next }, and start again.
journal-removed = the entry { $asked } is no longer in the journal: entries before { $first } were removed by retention. Begin at { $first }, or restore a snapshot.
journal-too-large = an entry of { $bytes } bytes does not fit into the journal; at most { $max } bytes do. Send the content as a file.
journal-low-space = only { $free } MiB are free on the disk of { $folder }; { $wanted } MiB must stay free. Make room, then send again.
journal-no-space = the disk is full: { $path } could not be written. Make room, then send again.
journal-write-failed = { $path } of the journal could not be written: { $cause }. Check the disk and restart uzel; nothing is taken before that.
journal-writer-stopped = the writer of the journal stopped by a fault of the program. Restart uzel and report the log.
journal-closed = uzel is stopping and takes no more entries. Send again after the start.
journal-read-only = the journal was opened for reading only. Send to the running uzel.
journal-body-name = "{ $name }" is not the name of a body of the journal. Run `uzel journal verify`.
journal-body-length = the body { $name } has { $bytes } bytes, and its entry says { $expected }. Restore the file from a backup.
journal-body-failed = the body { $path } could not be kept: { $cause }. Check the disk and the rights of the folder, then send again.
