## twin
twin-cannot-listen = the twin cannot listen at { $addr }. Choose another address, or stop what uses it.
twin-state-unreadable = the state file { $file } does not open. Check its path and rights.
twin-state-unwritable = the state file { $file } cannot be written. Check the folder's rights and free space.
twin-state-format = { $file }:{ $line }: this is not the state of a twin. Move the file away, or name another one.

## twin: a 1C base as client of the exchange
twin-exchange-transport = 1C got no whole answer. Check the address and that the site runs.
twin-exchange-status = the site answered { $status }; 1C wants 200 always. Look at the site's log.
twin-exchange-empty = the site's answer is empty. Look at the site's log.
twin-exchange-not-authorised = checkauth is no success: { $reply }. Check login and password.
twin-exchange-bad-init = init does not read: { $reply }. UT 11 wants exactly two lines, zip= and file_limit=, without a line feed at the end.
twin-exchange-file-refused = the site did not take the file { $file }: { $reply }. Look at the site's log.
twin-exchange-import-refused = the import of { $file } failed: { $reply }. Look at the site's log.
twin-exchange-import-unknown = the import of { $file } has an unknown status: { $reply }. The first line must be success, progress or failure.
twin-exchange-import-endless = the import of { $file } still says progress after { $polls } requests. Look at the site's log.
twin-exchange-orders-unreadable = the site's orders do not read: { $reply }. They must begin with PK or <?xml.
twin-exchange-confirmation-refused = the site refused mode=success: { $reply }. Look at the site's log.
twin-exchange-archive = the archive cannot be packed. Check the names of the files.

## twin: sites that send forms
twin-form-not-sent = the form was not sent, or no whole answer came. Check the address and that the receiver runs.
