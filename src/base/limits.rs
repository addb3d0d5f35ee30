//! Every bound of the program, in one place, with what happens at the bound.

/// A webhook or form body, bytes. Above: 413, nothing is journalled.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 256 * 1024;
/// A message that something changed in a foreign system, bytes. Above: 413; the regular look sees it.
pub const HINT_BODY_BYTES_MAX: usize = 64 * 1024;
/// A secret that a person gives, bytes. What is behind is not read.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// A form with files, bytes in all. Above: 413.
pub const FORM_WITH_FILES_BYTES_MAX: usize = 20 * 1024 * 1024;
/// One uploaded chunk of the 1C exchange, bytes. We announce less (`file_limit`); above: `failure`.
pub const EXCHANGE_CHUNK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What `init` announces to 1C as `file_limit`, bytes.
pub const EXCHANGE_FILE_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// One file of the 1C exchange put together from its chunks, bytes. Above: `failure`, file dropped.
pub const EXCHANGE_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Files of one exchange session. Above: `failure`.
pub const EXCHANGE_FILES_MAX: usize = 100_000;
/// Sessions of the 1C exchange kept at one time. At the bound the one used longest ago goes, after
/// its uploads are journalled.
pub const EXCHANGE_SESSIONS_MAX: usize = 64;
/// A session of the 1C exchange used within this long is at work and is not put out for another, ms.
pub const EXCHANGE_ACTIVE_MS: i64 = 60_000;
/// An upload without a new chunk for this long counts as finished, ms.
pub const EXCHANGE_IDLE_MS: i64 = 10 * 60_000;
/// A session of the 1C exchange that nobody used for this long is forgotten, ms.
pub const EXCHANGE_SESSION_AGE_MS: i64 = 24 * 3_600_000;
/// How long `import` waits for the pipeline before it answers `progress`, ms.
pub const EXCHANGE_IMPORT_WAIT_MS: u64 = 5_000;
/// Failed logins of one address within [`LOGIN_WINDOW_MS`]. Above: refused without a look.
pub const LOGIN_FAILURES_MAX: usize = 10;
/// Window of [`LOGIN_FAILURES_MAX`], ms.
pub const LOGIN_WINDOW_MS: i64 = 60_000;
/// Addresses whose failed logins are remembered. At the bound the oldest is forgotten.
pub const LOGIN_ADDRESSES_MAX: usize = 1_024;
/// Members of one archive. Above: quarantined.
pub const ARCHIVE_MEMBERS_MAX: usize = 100_000;
/// Unpacked bytes of one archive. Above: the archive is quarantined as a bomb.
pub const UNPACKED_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// Unpacked to packed, at the most. Above: quarantined as a bomb.
pub const UNPACK_RATIO_MAX: u64 = 200;
/// One record after decoding, bytes of its source text. Above: the record is quarantined.
pub const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Nesting of decoded values. Above: the record is quarantined.
pub const VALUE_DEPTH_MAX: usize = 64;
/// Fields of one form. Above: the record is quarantined.
pub const FORM_FIELDS_MAX: usize = 1_000;
/// Headers of one part of a multipart form. Above: the record is quarantined.
pub const PART_HEADERS_MAX: usize = 32;
/// Bytes of the headers of one part of a multipart form. Above: the record is quarantined.
pub const PART_HEADER_BYTES_MAX: usize = 16 * 1024;
/// One tag of an XML file outside its records, bytes. Above: the rest of the file is quarantined.
pub const TAG_BYTES_MAX: usize = 64 * 1024;
/// Damaged places between the records of one file. Above: the rest of the file is quarantined.
pub const DAMAGED_PLACES_MAX: usize = 16;
/// A body larger than this lies in a file of its own beside the journal.
pub const INLINE_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Payload of a journal entry, bytes. Above: the append is refused (bodies go to files first).
pub const ENTRY_PAYLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A journal segment, bytes, preallocated. At the bound the next segment begins.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Appends that wait for the journal writer. At the bound the sender waits (back-pressure).
pub const JOURNAL_QUEUE_MAX: usize = 8_192;
/// Bytes of appends that wait for the journal writer. At the bound the sender waits.
pub const JOURNAL_QUEUE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes written before one `fdatasync` at the most.
pub const JOURNAL_GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Free bytes below which intake is refused with 503.
pub const FREE_SPACE_INTAKE_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// Free bytes below which attempts and commands are refused too.
pub const FREE_SPACE_COMMAND_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// Entries of one micro-batch.
pub const MICRO_BATCH_ENTRIES_MAX: usize = 512;
/// Records of one entry that are applied at once; more are admitted as slices.
pub const INLINE_ITEMS_MAX: u32 = 256;
/// Records of one slice.
pub const SLICE_ITEMS_MAX: u32 = 256;
/// Slices admitted and not yet applied.
pub const SLICES_PENDING_MAX: usize = 4;
/// Records of one entry at all (20 bits of an id). Above: the rest is quarantined as one.
pub const ITEMS_MAX: u32 = 1 << 20;
/// Cache of the store, as sled counts it, bytes; in memory its pages take several times as much
/// (measured after a million envelopes: 434 MiB resident with 64 MiB, 361 MiB with 24 MiB).
pub const STORE_CACHE_BYTES: u64 = 24 * 1024 * 1024;
/// How often sled writes out what was committed, ms. A crash loses no more than this; the journal has it.
pub const STORE_FLUSH_EVERY_MS: u64 = 1_000;
/// Clean decoded rows kept between two micro-batches. Above: those not touched lately are dropped.
pub const ROW_CACHE_ROWS_MAX: usize = 8_192;
/// Encoded bytes of the rows kept between two micro-batches. Above: the same.
pub const ROW_CACHE_BYTES_MAX: usize = 12 * 1024 * 1024;
/// Rows read at once by an iterator over a table.
pub const TABLE_PAGE_ROWS: usize = 256;
/// Interactions in a client's own row. Above: the oldest move out as a chunk.
pub const CLIENT_INTERACTIONS_MAX: usize = 256;
/// Interactions of one chunk that moves out.
pub const CLIENT_INTERACTIONS_CHUNK: usize = 128;
/// Contact points of one client. Above: the oldest from the weakest source is kept in `extra`.
pub const CONTACTS_MAX: usize = 200;
/// Clients that share one contact point before it counts as shared and identifies nobody.
pub const CONTACT_SHARED_BY_MAX: usize = 5;
/// Factors of the scoring rules. Above: the rules file is refused.
pub const SCORING_FACTORS_MAX: usize = 64;
/// Rules of classes, and levels or bands of one factor. Above: the rules file is refused.
pub const SCORING_LEVELS_MAX: usize = 1_000;
/// Fields that no mapping names, kept per object.
pub const EXTRA_FIELDS_MAX: usize = 200;
/// Bytes of one kept extra value; longer ones are cut, the journal has the whole.
pub const EXTRA_VALUE_BYTES_MAX: usize = 1_024;
/// Bytes of a UTM value; longer ones are cut.
pub const UTM_BYTES_MAX: usize = 512;
/// Attempts of one delivery before it becomes a dead letter.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 20;
/// How long a request whose answer was lost may still be at work in a foreign system, s, where the
/// manifest does not say; Bitrix24 works on one for 60 s at the most.
pub const SETTLE_S: u32 = 75;
/// The longest such time that can be set, s.
pub const SETTLE_S_MAX: u32 = 3_600;
/// Longest wait between two attempts, ms; also the clamp of a foreign Retry-After.
pub const RETRY_AFTER_MAX_MS: i64 = 6 * 3_600_000;
/// Deliveries in one batch request.
pub const DELIVERY_BATCH_MAX: usize = 50;
/// An answer of a foreign system, bytes. Above: cut, treated as a failure of the sink.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rows of one page of a listing.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Request line and headers, bytes. Above: 431.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Time for the headers of a request, ms.
pub const HEADER_READ_TIMEOUT_MS: u64 = 10_000;
/// Time for a request's body and its answer, ms.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;
/// Time that open requests have to finish at shutdown, ms.
pub const SHUTDOWN_GRACE_MS: u64 = 10_000;
/// A body that comes with a refused request and is read all the same, so that the connection lives
/// on, bytes. Above: the answer says that the connection ends.
pub const PASSED_OVER_BODY_BYTES_MAX: usize = 64 * 1024;
/// Time for a TLS handshake, ms. Above: closed.
pub const TLS_HANDSHAKE_TIMEOUT_MS: u64 = 10_000;
/// A file of certificates or of a key, bytes. Above: refused, the pair in use stays.
pub const CERTIFICATE_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How often files of certificates are looked at, and whether a renewal is due, ms.
pub const CERTIFICATE_LOOK_MS: u64 = 10_000;
/// Names of one certificate ordered by ACME. Above: the settings are refused.
pub const ACME_DOMAINS_MAX: usize = 50;
/// Time for one order of ACME, ms. Above: it has failed and is tried again later.
pub const ACME_ORDER_TIMEOUT_MS: u64 = 5 * 60_000;
/// Wait after the first order of ACME that failed, ms; doubled each time. Authorities allow five
/// failures an hour.
pub const ACME_RETRY_MS_MIN: i64 = 10 * 60_000;
/// The longest wait after orders of ACME that failed, ms.
pub const ACME_RETRY_MS_MAX: i64 = 12 * 3_600_000;
/// Connections open at one time. Above: accepted and closed.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Payload bytes of one micro-batch, about.
pub const MICRO_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deals rescored by one tick; the rest waits for the next one, so that calls get between.
pub const TICK_DEALS_MAX: usize = 512;
/// New leads looked at by one tick, whether they lie untouched; the rest waits for the next one.
pub const TICK_WATCHES_MAX: usize = 512;
/// Blocks of idempotency keys looked at by one tick.
pub const FORGET_BLOCKS_MAX: usize = 64;
/// Merges followed from a client to the one that stands for it.
pub const MERGE_CHAIN_MAX: usize = 64;
/// Changes of class kept per deal.
pub const CLASS_HISTORY_MAX: usize = 50;
/// Rows named by a comparison of two stores.
pub const REBUILD_DIFFERENCES_MAX: usize = 100;
/// Between two looks at what is due, ms.
pub const TICK_CHECK_MS: u64 = 5_000;
/// Between two looks at long work when nothing is applied meanwhile, ms.
pub const ADMIT_CHECK_MS: u64 = 1_000;
/// Between two looks at idle uploads, ms.
pub const UPLOAD_IDLE_CHECK_MS: u64 = 15_000;
/// Bodies over `WEBHOOK_BODY_BYTES_MAX` in memory at one time. Above: 503, the sender retries.
pub const LARGE_BODIES_MAX: usize = 8;
/// Rest of a refused body that is read and thrown away, so that the sender reads the refusal, bytes.
/// Above: the connection is cut.
pub const REFUSED_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Time for a request of the 1C exchange, chunk and answer, ms.
pub const EXCHANGE_REQUEST_TIMEOUT_MS: u64 = 600_000;
/// Headers of one request. Above: 431.
pub const HEADERS_MAX: usize = 100;
/// Sender addresses remembered by one rate limit. Above: strangers share one allowance until the
/// idle ones are forgotten.
pub const RATE_ADDRESSES_MAX: usize = 100_000;
/// Bytes of a header kept as a note of an envelope; longer ones are cut.
pub const NOTE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of an `Idempotency-Key` or of the sender's own id. Above: the content is the key.
pub const SENDER_ID_BYTES_MAX: usize = 512;
/// Series of metrics. Above: new label values are counted together as `other`.
pub const METRIC_SERIES_MAX: usize = 4_096;
/// The vault file, bytes. Above: refused as damaged.
pub const VAULT_BYTES_MAX: u64 = 1024 * 1024;
/// Name of a secret, bytes. Above: refused.
pub const VAULT_NAME_BYTES_MAX: usize = 96;
/// Bytes of a body that a view shows; the journal has the whole.
pub const BODY_SHOWN_BYTES_MAX: usize = 16 * 1024;
/// Records in what a person is given of himself. Above: the newest are left out, and counted.
pub const EXPORT_RECORDS_MAX: usize = 10_000;
/// Interactions in the view of a client.
pub const INTERACTIONS_SHOWN_MAX: usize = 50;
/// Documents in the view of a client or deal.
pub const DOCUMENTS_SHOWN_MAX: usize = 100;
/// Between two looks at the outbox when nothing is applied meanwhile, ms.
pub const DELIVER_CHECK_MS: u64 = 1_000;
/// How long a sink is believed to have our custom fields still, ms; then they are looked at, and made
/// again where somebody removed them.
pub const PROVISION_EVERY_MS: u64 = 3_600_000;
/// Objects of one rank looked at in one round of delivery.
pub const DELIVERY_SCAN_ROWS_MAX: usize = 4_096;
/// Time for one push, ms; works that do not fit stay due.
pub const PUSH_DEADLINE_MS: i64 = 60_000;
/// Rest of a sink that could not be prepared, ms.
pub const SINK_REST_MS: i64 = 30_000;
/// Times that a look for a plan asks for the same objects when the system asks to wait; then it is
/// given up, and says why.
pub const LOOK_ROUNDS_MAX: u32 = 20;
/// Longest wait of a look between two of them, ms.
pub const LOOK_WAIT_MAX_MS: i64 = 600_000;
/// Rest of history whose import a sink refuses, ms: a person must act. What is new goes all the same.
pub const IMPORT_REST_MS: i64 = 900_000;
/// Entries not yet applied above which `/readyz` says no.
pub const READY_LAG_MAX: u64 = 1_000_000;
/// Between two refreshes of the gauges, ms.
pub const MEASURE_MS: u64 = 5_000;
/// Time that the demo waits for the CRM to be told everything, ms.
pub const DEMO_WAIT_MS: u64 = 90_000;
/// Clients looked at because of one contact point.
pub const CANDIDATES_MAX: usize = 32;
/// Deals of one client that are fetched before a micro-batch; older ones are read when asked for.
pub const PREFETCH_DEALS_MAX: usize = 16;
/// Nice value of the pipeline's threads: intake goes before it when both want the processor.
pub const PIPELINE_NICE: i32 = 10;
/// Columns of a table when the output is no terminal.
pub const TABLE_COLUMNS: u16 = 120;
/// Columns below which a table is not squeezed.
pub const TABLE_COLUMNS_MIN: u16 = 60;
/// Objects that one plan lets go. At the bound the rest waits for the next plan.
pub const PLAN_LINES_MAX: u64 = 300_000;
/// Plans kept. Above: the oldest go.
pub const PLANS_KEPT_MAX: usize = 20;
/// Open deliveries that `uzel status` looks at. Above: it says "at least".
pub const DELIVERIES_COUNTED_MAX: u64 = 10_000;
/// A file of a watched folder, bytes. Above: left where it is, named by `uzel folder list`.
pub const FOLDER_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Names looked at in one watched folder. Above: the rest waits until some are gone.
pub const FOLDER_FILES_MAX: usize = 10_000;
/// Between two looks at a watched folder, ms; a file that did not change from one to the next is whole.
pub const FOLDER_LOOK_MS: u64 = 5_000;
/// A workbook without its end for this long is damaged, not on its way, ms: it is quarantined.
pub const FOLDER_HALF_MS: i64 = 10 * 60_000;
/// Unpacked bytes of one workbook. Above: quarantined as a bomb.
pub const TABLE_UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Rows of one table. Above: the file is quarantined.
pub const TABLE_ROWS_MAX: usize = 1_000_000;
/// Columns of one table. Above: the file is quarantined.
pub const TABLE_COLUMNS_MAX: usize = 256;
/// One cell, bytes. Above: the file is quarantined.
pub const TABLE_CELL_BYTES_MAX: usize = 64 * 1024;
/// Rows at the top of a table among which the header is looked for. Not there: the file is quarantined.
pub const TABLE_HEADER_ROWS_MAX: usize = 30;
/// A block of a snapshot before packing, bytes. At the bound the next block begins.
pub const SNAPSHOT_BLOCK_BYTES: usize = 64 * 1024;
/// Unpacked blocks of a snapshot kept in memory. At the bound the one used longest ago goes.
pub const SNAPSHOT_BLOCKS_CACHED: usize = 64;
/// Changes since the last snapshot held in memory while the next one is made, bytes. At the bound
/// they are written out together with what is below them.
pub const SNAPSHOT_CHANGES_BYTES_MAX: usize = 48 * 1024 * 1024;
/// Rows put into an empty store with one commit when it is filled from a snapshot.
pub const SNAPSHOT_LOAD_ROWS: usize = 4_096;
/// Between two looks at whether a snapshot is due, ms.
pub const KEEP_CHECK_MS: u64 = 30_000;
/// After a snapshot that could not be made, ms.
pub const KEEP_RETRY_MS: i64 = 15 * 60_000;
/// Journal entries up to which a what-if keeps its two side stores in memory. Above: in a folder
/// beside the store, removed at the end.
pub const WHAT_IF_MEMORY_ENTRIES_MAX: u64 = 50_000;
/// Lines of differences that a what-if shows at the most; all are counted.
pub const DIFFERENCE_LINES_MAX: usize = 100_000;
/// Days that a question about working time looks ahead. Above: time counts as on a clock.
pub const CALENDAR_DAYS_MAX: i64 = 1_500;
/// Shifts of the calendar. Above: the file is refused.
pub const CALENDAR_SHIFTS_MAX: usize = 64;
/// Between two looks of a poller where neither manifest nor settings say, s.
pub const POLL_EVERY_S: u32 = 60;
/// Between two looks at a stream that hangs on others while history is being loaded, s, at the least:
/// requests are what a load is short of.
pub const POLL_OWNED_WHILE_LOADING_S: u32 = 300;
/// How far back a poller looks where the manifest does not say, s.
pub const POLL_OVERLAP_S: u32 = 300;
/// Rows of one envelope of a poller: applied in one go, so that a lead never waits behind a load.
pub const POLL_ENVELOPE_ROWS_MAX: usize = 250;
/// Bytes of the rows of one envelope of a poller, about.
pub const POLL_ENVELOPE_BYTES_MAX: usize = 512 * 1024;
/// Pages of one look of a poller. Above: the rest is read by the next look, which begins there.
pub const POLL_PAGES_MAX: u32 = 200;
/// Hints that wait to be verified by a poller. Above: the oldest is dropped; the next look sees it.
pub const POLL_HINTS_MAX: usize = 10_000;
/// Between two looks at whether a foreign system still is to tell us of changes, ms: an application
/// that is installed anew loses that.
pub const POLL_BOUND_EVERY_MS: i64 = 86_400_000;
/// Rest of a poller after an answer that nobody can use, ms.
pub const POLL_REST_MS: i64 = 30_000;
/// Rest of a poller whose rights or settings are refused, ms: a person must act.
pub const POLL_REFUSED_REST_MS: i64 = 900_000;
/// Between two questions for what a foreign system does not offer, ms: an update may bring it.
pub const POLL_NOT_OFFERED_REST_MS: i64 = 86_400_000;
/// Ids that one comparison for deletions holds in memory. Above: it ends with a warning.
pub const POLL_SWEEP_IDS_MAX: usize = 2_000_000;
/// Between two comparisons of ids for deletions, s.
pub const POLL_SWEEP_EVERY_S: i64 = 86_400;
/// Records of one client or deal that are read again to explain it. At the bound the oldest are left
/// out, and counted.
pub const EXPLAINED_RECORDS_MAX: usize = 500;
/// Positions left out after a restore: ids of objects made after the backup derive from positions,
/// stand in the CRM, and must not be given again. More entries than this since the backup: an id
/// may come twice.
pub const RESTORE_POSITIONS_SKIPPED: usize = 100_000;
/// Employees. Above: the file is refused.
pub const EMPLOYEES_MAX: usize = 5_000;
/// Organisations of our own. Above: the file is refused.
pub const ORGANISATIONS_MAX: usize = 1_000;
/// Rules of distribution. Above: the file is refused.
pub const DISTRIBUTION_RULES_MAX: usize = 1_000;
/// Reasons kept of one assignment. Above: the later ones are not said.
pub const ASSIGNED_REASONS_MAX: usize = 12;
/// A body of several people in which one is blanked, bytes. Above: the whole body goes.
pub const ERASE_BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How far the time of a signed message may be from ours, s. Beyond: 401, nothing is journalled.
pub const SIGNATURE_TOLERANCE_S: u64 = 300;
/// Days that a preview of rules looks back. Above: the command line refuses.
pub const PREVIEW_DAYS_MAX: u64 = 3_660;
/// News for people are gathered into one message for this long, ms.
pub const NOTICE_GATHER_MS: i64 = 20_000;
/// So long after a start nobody is told that something has ended, ms: a sink that does not answer is
/// an alarm again only after its own time.
pub const NOTICE_SETTLE_MS: i64 = 20 * 60_000;
/// Time for one step of handing a notification over, ms.
pub const NOTICE_TIMEOUT_MS: u64 = 20_000;
/// Longest wait before a notification that did not go is tried again, ms.
pub const NOTICE_RETRY_MAX_MS: i64 = 15 * 60_000;
/// Between two looks at what is wrong, ms.
pub const WATCH_MS: u64 = 5_000;
/// The pipeline does not move although there are entries for this long: an alarm, ms.
pub const ALARM_STUCK_MS: i64 = 60_000;
/// The pipeline has not caught up for this long: an alarm, ms.
pub const ALARM_BEHIND_MS: i64 = 15 * 60_000;
/// The clock is wrong by this much: an alarm, ms.
pub const ALARM_CLOCK_MS: i64 = 2 * 60_000;
/// How long a leap of the clock is told of, ms.
pub const ALARM_JUMP_TOLD_MS: i64 = 24 * 3_600_000;
/// The newest documents of a client among which the order of a payment, or another system's copy of a
/// document, is looked for. Older ones are not found: the document stays one of its own.
pub const DOCUMENTS_COMPARED_MAX: usize = 300;
/// A sink takes nothing for this long: an alarm, ms.
pub const ALARM_SINK_STOPPED_MS: i64 = 5 * 60_000;
/// A polled source cannot be read for this long: an alarm, ms.
pub const ALARM_UNREAD_MS: i64 = 15 * 60_000;
/// Less than this is left of the certificate of the listener, or a sixth of its life if that is less: an
/// alarm, ms.
pub const ALARM_CERTIFICATE_SOON_MS: i64 = 14 * 24 * 3_600_000;
/// The same, or a 24th of its life: an urgent alarm, ms.
pub const ALARM_CERTIFICATE_LAST_MS: i64 = 3 * 24 * 3_600_000;
/// A new certificate cannot be had for this long: an alarm, ms.
pub const ALARM_CERTIFICATE_FAILED_MS: i64 = 3_600_000;
/// Nothing is pulled from the relay for this long: an alarm, ms.
pub const ALARM_RELAY_STOPPED_MS: i64 = 5 * 60_000;
/// Something waits at the relay for this long without a break although it answers: an alarm, ms.
pub const ALARM_RELAY_BEHIND_MS: i64 = 15 * 60_000;
/// A connection does not know an employee by his id for this long: an alarm, ms.
pub const ALARM_STAFF_MS: i64 = 2 * 60_000;
/// Words that a sink lacks and that are named at once. Above: the first are named.
pub const MISSING_WORDS_MAX: usize = 50;
/// How long a word that a sink lacks is told of after it was left out last, ms.
pub const MISSING_WORD_TOLD_MS: i64 = 7 * 24 * 3_600_000;
/// Records that went into quarantine within this time are an alarm, ms.
pub const ALARM_QUARANTINE_MS: i64 = 24 * 3_600_000;
/// Records in quarantine that are counted for it. Above: it says "at least".
pub const ALARM_QUARANTINE_RECORDS_MAX: usize = 1_000;
/// Objects of the outbox looked at for dead letters in one look; the next look goes on from there.
pub const ALARM_DEAD_OBJECTS_MAX: usize = 5_000;
/// Payload bytes of one answer of a relay, about. More waits for the next question; after a link that
/// was cut the office asks for half.
pub const RELAY_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Envelopes of one answer of a relay.
pub const RELAY_BATCH_ENTRIES_MAX: usize = 512;
/// Bytes of a large body in one answer of a relay; the office asks for the next piece.
pub const RELAY_PIECE_BYTES_MAX: usize = 1024 * 1024;
/// How long a relay waits for something to answer with, s.
pub const RELAY_WAIT_S_MAX: u64 = 20;
/// Hints that a relay keeps for the office, in memory. Above: the oldest is dropped; the regular look
/// sees what it told of.
pub const RELAY_HINTS_MAX: usize = 1_000;
/// Segment of a relay's journal, bytes: small, because the newest one is kept for ever.
pub const RELAY_SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
/// Between two looks of a relay at what it may remove, ms.
pub const RELAY_PRUNE_CHECK_MS: u64 = 600_000;
/// Between two writes of how far the office is, ms; what a crash loses of it is confirmed again.
pub const RELAY_STATE_WRITE_MS: i64 = 1_000;
/// Longest wait of the office after a failure, ms.
pub const RELAY_RETRY_MS_MAX: u64 = 30_000;
/// Difference of the two clocks above which the office says so, ms.
pub const RELAY_CLOCK_MS_MAX: i64 = 120_000;
/// The file that the office gives to a relay, bytes. Above: refused as damaged.
pub const RELAY_BUNDLE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// For how many days a relay keeps what the office has confirmed where its settings do not say.
pub const RELAY_KEEP_DAYS: u32 = 7;
/// Scored deals that the page ranks, 40 bytes each. Above: the rest is left out, and the page says so.
pub const RANKED_DEALS_MAX: usize = 4_000_000;
/// Deals on one page of the list by priority.
pub const PRIORITY_ROWS: usize = 50;
/// Tasks on the first page; all of them are a page of their own.
pub const PRIORITY_TASKS: usize = 10;
/// Responsibles named on the page, those with the greatest values. Above: the rest is summed up.
pub const PRIORITY_RESPONSIBLES_MAX: usize = 30;
/// Letters of a comment on the page; longer ones are cut, the CRM has the whole.
pub const COMMENT_SHOWN_CHARS: usize = 400;
/// Links to the page that hold at one time. Above: none is made until some are revoked.
pub const PAGE_LINKS_MAX: usize = 200;
/// Days that a link to the page holds at the most. Above: the command line refuses.
pub const PAGE_LINK_DAYS_MAX: u64 = 366;
/// Letters of the name for whom a link to the page is. Above: the rest is cut.
pub const PAGE_LINK_NAME_CHARS: usize = 100;
/// Pages made at one time: each walks over all ranked deals. Above: they wait for one another.
pub const PAGES_AT_ONCE: usize = 4;
/// An answer in the dialogue of `uzel init`, bytes. What is behind is the next answer.
pub const INIT_ANSWER_BYTES_MAX: u64 = 4_096;
/// One step of reaching a foreign system (a name, a port) in a probe, ms. Above: it counts as failed.
pub const PROBE_STEP_MS: u64 = 10_000;
/// All questions of one probe, ms. Above: what was not asked is said to be not known.
pub const PROBE_MS: i64 = 60_000;
/// Pages of one dictionary that a probe reads. Above: it shows what it has, and says so.
pub const PROBE_PAGES_MAX: u64 = 20;
/// Names that a probe lists in one line. Above: the rest is counted.
pub const PROBE_NAMES_SHOWN: usize = 8;
/// Entries of the journal that a probe looks back through for the last word of a source. Above: the
/// source counts as long silent.
pub const PROBE_ENTRIES_MAX: u64 = 20_000;
/// A line of a telephone exchange's events, bytes. The tail of a longer one is left out.
pub const AMI_LINE_BYTES_MAX: usize = 16 * 1024;
/// A packet of a telephone exchange's events, bytes. Lines that do not fit are left out.
pub const AMI_PACKET_BYTES_MAX: usize = 64 * 1024;
/// A value of a telephone exchange's event as calls are put together from it, bytes. The tail of a
/// longer one is in the journal only.
pub const AMI_VALUE_BYTES_MAX: usize = 512;
/// A column of a billing row of a telephone exchange, bytes. The tail of a longer one is in the
/// journal only.
pub const CDR_FIELD_BYTES_MAX: usize = 1_024;
/// Channels of one call. More are not looked at: who spoke first stays known.
pub const CALL_CHANNELS_MAX: usize = 64;
/// Dialings of one call, and stays of its channels in bridges. More are not looked at.
pub const CALL_STAYS_MAX: usize = 512;
/// Billing rows of one call. More are not looked at.
pub const CALL_ROWS_MAX: usize = 64;
/// Channel variables of one call. More are not kept.
pub const CALL_VARIABLES_MAX: usize = 32;
/// Calls of one exchange that are not over. Beyond, they are told when they end, and a lost link
/// leaves them to their billing rows.
pub const CALLS_OPEN_MAX: usize = 10_000;
/// Names that one call may have had, one after another. Beyond, what comes later is another call.
pub const CALL_MERGES_MAX: usize = 16;
/// Packets of one envelope of a telephone exchange. More are the next envelope.
pub const AMI_PORTION_PACKETS_MAX: usize = 200;
/// Bytes of one envelope of a telephone exchange. More are the next envelope.
pub const AMI_PORTION_BYTES_MAX: usize = 128 * 1024;
/// How long packets are gathered for one envelope, ms.
pub const AMI_PORTION_MS: u64 = 100;
/// Packets that wait for the journal. What comes beyond is lost and marked as a hole: the reader
/// never waits, and the call records tell what was lost.
pub const AMI_QUEUE_PACKETS_MAX: usize = 20_000;
/// Opening a link to a telephone exchange, ms. Above: tried again later.
pub const AMI_OPEN_MS: u64 = 10_000;
/// How often a telephone exchange is asked whether it is there, ms.
pub const AMI_PING_MS: u64 = 30_000;
/// A link over which nothing came for so long is given up, ms.
pub const AMI_SILENCE_MS: u64 = 90_000;
/// How often the list of live channels is asked for, ms.
pub const AMI_LIST_MS: u64 = 600_000;
/// The first pause before a link is opened again, ms.
pub const AMI_BACKOFF_MS_MIN: u64 = 500;
/// The longest pause before a link is opened again, ms; at once after a refusal.
pub const AMI_BACKOFF_MS_MAX: u64 = 60_000;
/// Bytes of call records that are journalled at once. More are the next envelope.
pub const CDR_PORTION_BYTES_MAX: u64 = 64 * 1024;
/// What was put together of a call is kept so long after the last word of it, ms. Billing rows that
/// come later change nothing.
pub const CALLS_KEPT_MS: i64 = 30 * 60_000;
/// Rows of calls that are looked at at once for being old. More wait for the next look.
pub const CALLS_FORGET_MAX: usize = 20_000;
/// The same when a billing row came, not the list of live channels.
pub const CALLS_FORGET_BY_ROW_MAX: usize = 32;
/// Newest interactions of a client that are looked at for an answer to a missed call.
pub const CALL_ANSWERS_MAX: usize = 16;
