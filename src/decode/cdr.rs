//! Call detail records of Asterisk: rows of `Master.csv`, in both layouts that bear this name.
//!
//! ```text
//! cdr_csv     accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start,
//!             answer, end, duration, billsec, disposition, amaflags
//!             [, uniqueid] [, userfield] [, peeraccount, linkedid, sequence]
//! cdr_custom  clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, start, answer, end,
//!             duration, billsec, disposition, amaflags, accountcode, uniqueid, userfield, sequence
//! ```
//!
//! Neither has a header. They are told apart by where the three times stand: the first of them, the
//! start, is always there. Text stands in double quotes, doubled within; an answer that never was is
//! nothing between two commas. Bytes that are not UTF-8 become U+FFFD.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::base::Message;
use crate::base::limits::CDR_FIELD_BYTES_MAX;

/// Content type of an envelope of rows.
pub const CONTENT_TYPE: &str = "text/csv";

/// One row: a leg of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Row {
    /// Who called, as the exchange knows him.
    pub src: CompactString,
    /// What was dialled.
    pub dst: CompactString,
    /// The calling channel.
    pub channel: CompactString,
    /// The called one; empty: nobody was called.
    pub dst_channel: CompactString,
    /// The application that ran last.
    pub last_app: CompactString,
    /// What it was told.
    pub last_data: CompactString,
    /// Seconds since 1970 as the text reads in UTC: the zone of the exchange is not applied.
    pub start_s: i64,
    /// When the line was answered, the same way.
    pub answer_s: Option<i64>,
    /// When it was over, the same way.
    pub end_s: Option<i64>,
    /// Seconds since the line was answered.
    pub bill_s: u32,
    /// `ANSWERED`, `NO ANSWER`, `BUSY`, `FAILED`, `CONGESTION`.
    pub disposition: CompactString,
    /// Names the calling channel.
    pub uniqueid: CompactString,
    /// Names the call; empty where the layout has no such column.
    pub linkedid: CompactString,
    /// What the dialplan wrote beside it.
    pub userfield: CompactString,
}

/// Places of columns in a layout.
struct Layout {
    src: usize,
    channel: usize,
    start: usize,
    uniqueid: usize,
    linkedid: Option<usize>,
}

const CSV: Layout = Layout { src: 1, channel: 5, start: 9, uniqueid: 16, linkedid: Some(19) };
const CUSTOM: Layout = Layout { src: 1, channel: 4, start: 8, uniqueid: 16, linkedid: None };

/// Reads every whole line of `body`; what does not read is told with its number (from 1).
pub fn rows(body: &[u8], mut each: impl FnMut(Result<Row, Message>)) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return,
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                each(row(&record).ok_or_else(|| Message::new("decode-cdr-row").with("line", line)));
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                each(Err(Message::new("decode-cdr-row").with("line", line)));
            }
        }
    }
}

fn row(record: &csv::ByteRecord) -> Option<Row> {
    let text = |at: usize| -> CompactString {
        let raw = record.get(at).unwrap_or_default();
        CompactString::from_utf8_lossy(&raw[..raw.len().min(CDR_FIELD_BYTES_MAX)])
    };
    let time = |at: usize| record.get(at).and_then(seconds);
    let layout = [CUSTOM, CSV].into_iter().find(|layout| time(layout.start).is_some())?;
    let (app, start) = (layout.channel + 2, layout.start);
    Some(Row {
        src: text(layout.src),
        dst: text(layout.src + 1),
        channel: text(layout.channel),
        dst_channel: text(layout.channel + 1),
        last_app: text(app),
        last_data: text(app + 1),
        start_s: time(start)?,
        answer_s: time(start + 1),
        end_s: time(start + 2),
        bill_s: text(start + 4).trim().parse().unwrap_or(0),
        disposition: text(start + 5),
        uniqueid: text(layout.uniqueid),
        linkedid: layout.linkedid.map(text).unwrap_or_default(),
        userfield: text(layout.uniqueid + 1),
    })
}

/// `2026-11-21 22:00:52`, read as UTC; seconds since 1970.
pub fn seconds(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    // Some installations write parts of a second.
    let whole = text.trim().split('.').next()?;
    let time: jiff::civil::DateTime = whole.parse().ok().filter(|_| whole.len() == 19)?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}
