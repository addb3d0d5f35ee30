## twin
twin-cannot-listen = the twin cannot listen at { $addr }. Choose another address, or stop what uses it.
twin-state-unreadable = the state file { $file } does not open. Check its path and rights.
twin-state-unwritable = the state file { $file } cannot be written. Check the folder's rights and free space.
twin-state-format = { $file }:{ $line }: this is not the state of a twin. Move the file away, or name another one.
