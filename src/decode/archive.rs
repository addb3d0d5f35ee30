//! Members of a zip, one after the other, straight from the archive: nothing is written to a disk.
//!
//! Only XML members are read; pictures and the like are passed over. Guards: names that leave
//! their folder, encrypted members, archives within archives, methods other than stored and
//! deflate, more unpacked bytes than `UNPACKED_BYTES_MAX`, more than `UNPACK_RATIO_MAX` times the
//! packed ones. The checksum of a member is compared when its end is reached.
//!
//! [`Archive`] owns its reader and lends it to one [`MemberReader`] at a time, so that an iterator
//! over records can own the lot.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::{DecodeError, text};
use crate::base::Message;
use crate::base::limits::{ARCHIVE_MEMBERS_MAX, UNPACK_RATIO_MAX, UNPACKED_BYTES_MAX};

/// So many bytes may come out of however few: the ratio of a tiny member says nothing.
const RATIO_FREE_BYTES: u64 = 1024 * 1024;

/// A message as the cause of an `io::Error`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Message);

/// Whether the bytes begin as a zip does.
pub fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// An XML member, and where its bytes are or why it is not read.
#[derive(Debug)]
struct Member {
    name: String,
    place: Result<Place, Message>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    packed: u64,
    crc: u32,
    is_stored: bool,
}

/// An open archive.
#[derive(Debug)]
pub struct Archive<R> {
    reader: R,
    members: VecDeque<Member>,
    unpacked: u64,
}

/// What comes next in an archive.
pub enum Next<R> {
    /// An XML member; the archive comes back from its reader.
    Member {
        /// Its name in the archive.
        name: String,
        /// Its unpacked bytes.
        reader: Box<MemberReader<R>>,
    },
    /// A member that is not read.
    Refused {
        /// The archive, to go on with.
        archive: Archive<R>,
        /// Its name in the archive.
        name: String,
        /// Why, and the next step.
        message: Message,
    },
    /// No more members.
    Over,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the list of members.
    pub fn open(file: &str, reader: R) -> Result<Archive<R>, DecodeError> {
        let mut zip = ZipArchive::new(reader).map_err(|error| damaged(file, &error))?;
        // Bound: ARCHIVE_MEMBERS_MAX; the archive is quarantined.
        if zip.len() > ARCHIVE_MEMBERS_MAX {
            return Err(Message::new("decode-archive-members")
                .with("file", file)
                .with("max", ARCHIVE_MEMBERS_MAX)
                .into());
        }
        let mut members = VecDeque::new();
        for index in 0..zip.len() {
            members.extend(Member::find(file, &mut zip, index)?);
        }
        Ok(Archive { reader: zip.into_inner(), members, unpacked: 0 })
    }

    /// Names of the XML members, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// The next XML member.
    pub fn next_member(mut self) -> Next<R> {
        let Some(Member { name, place }) = self.members.pop_front() else { return Next::Over };
        let begun = place.and_then(|place| match self.reader.seek(SeekFrom::Start(place.start)) {
            Ok(_) => Ok(place),
            Err(error) => Err(damaged(&name, &error).message),
        });
        match begun {
            Ok(place) => Next::Member { reader: Box::new(MemberReader::new(self, place, &name)), name },
            Err(message) => Next::Refused { archive: self, name, message },
        }
    }
}

impl Member {
    fn find<R: Read + Seek>(file: &str, zip: &mut ZipArchive<R>, index: usize) -> Result<Option<Member>, DecodeError> {
        let entry = zip.by_index_data(index).map_err(|error| damaged(file, &error))?;
        let name = text::decode(entry.name_raw(), Some("ibm866"), "name").text.into_owned();
        let lower = name.to_lowercase();
        let is_of_interest = !entry.is_dir() && (lower.ends_with(".xml") || lower.ends_with(".zip"));
        if !is_of_interest {
            return Ok(None);
        }
        let is_stored = entry.compression() == CompressionMethod::Stored;
        let is_readable = is_stored || entry.compression() == CompressionMethod::Deflated;
        let refusal = if lower.ends_with(".zip") {
            Some("decode-archive-nested")
        } else if leaves_folder(&name) {
            Some("decode-archive-name")
        } else if entry.encrypted() {
            Some("decode-archive-encrypted")
        } else if !is_readable {
            Some("decode-archive-method")
        } else {
            None
        };
        let (packed, crc) = (entry.compressed_size(), entry.crc32());
        let place = match refusal {
            Some(id) => Err(Message::new(id).with("file", file).with("member", &name)),
            None => match zip.by_index_raw(index).map(|raw| raw.data_start()) {
                Ok(start) => Ok(Place { start: start.unwrap_or_default(), packed, crc, is_stored }),
                Err(error) => Err(damaged(&name, &error).message),
            },
        };
        Ok(Some(Member { name, place }))
    }
}

fn damaged(file: &str, detail: &dyn std::fmt::Display) -> DecodeError {
    Message::new("decode-archive-damaged").with("file", file).with("detail", detail).into()
}

/// Whether a name points out of the folder into which it would be unpacked.
fn leaves_folder(name: &str) -> bool {
    let mut parts = name.split(['/', '\\']);
    name.starts_with(['/', '\\']) || name.contains(['\0', ':']) || parts.any(|part| part == "..")
}

/// The unpacked bytes of one member.
#[derive(Debug)]
pub struct MemberReader<R> {
    packed: Packed<R>,
    /// What of the archive is not the reader.
    members: VecDeque<Member>,
    unpacked: u64,
    name: String,
    place: Place,
    crc: Crc,
}

#[derive(Debug)]
enum Packed<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<Take<R>>),
}

impl<R: Read> MemberReader<R> {
    fn new(archive: Archive<R>, place: Place, name: &str) -> MemberReader<R> {
        let Archive { reader, members, unpacked } = archive;
        let bytes = reader.take(place.packed);
        let packed = match place.is_stored {
            true => Packed::Stored(bytes),
            false => Packed::Deflated(DeflateDecoder::new(bytes)),
        };
        MemberReader { packed, members, unpacked, name: name.to_owned(), place, crc: Crc::new() }
    }

    /// The archive, to go on with the next member.
    pub fn into_archive(self) -> Archive<R> {
        let reader = match self.packed {
            Packed::Stored(bytes) => bytes.into_inner(),
            Packed::Deflated(decoder) => decoder.into_inner().into_inner(),
        };
        Archive { reader, members: self.members, unpacked: self.unpacked }
    }

    fn refused(&self, id: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Refused(Message::new(id).with("member", &self.name)))
    }
}

impl<R: Read> Read for MemberReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.packed {
            Packed::Stored(bytes) => bytes.read(buffer)?,
            Packed::Deflated(decoder) => decoder.read(buffer)?,
        };
        if count == 0 && !buffer.is_empty() {
            return match self.crc.sum() == self.place.crc {
                true => Ok(0),
                false => Err(self.refused("decode-archive-crc")),
            };
        }
        self.crc.update(&buffer[..count]);
        self.unpacked += count as u64;
        let member_max = self.place.packed.saturating_mul(UNPACK_RATIO_MAX).saturating_add(RATIO_FREE_BYTES);
        // Bounds: the rest of the archive is quarantined as a bomb.
        match self.unpacked > UNPACKED_BYTES_MAX || self.member_bytes() > member_max {
            true => Err(self.refused("decode-archive-bomb")),
            false => Ok(count),
        }
    }
}

impl<R> MemberReader<R> {
    /// Unpacked bytes of this member so far.
    fn member_bytes(&self) -> u64 {
        match &self.packed {
            Packed::Stored(_) => 0,
            Packed::Deflated(decoder) => decoder.total_out(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            zip.start_file(*name, SimpleFileOptions::default()).expect("memory does not fail");
            zip.write_all(content).expect("memory does not fail");
        }
        zip.finish().expect("memory does not fail").into_inner()
    }

    fn check(bytes: Vec<u8>, expected: &[&str]) {
        let mut found = Vec::new();
        let mut next = match Archive::open("v8.zip", Cursor::new(bytes)) {
            Ok(archive) => archive.next_member(),
            Err(error) => {
                found.push(error.message.id.to_string());
                Next::Over
            }
        };
        loop {
            next = match next {
                Next::Over => break,
                Next::Refused { archive, name, message } => {
                    found.push(format!("{name}: {}", message.id));
                    archive.next_member()
                }
                Next::Member { name, mut reader } => {
                    match io::copy(&mut reader, &mut io::sink()) {
                        Ok(count) => found.push(format!("{name}: {count}")),
                        Err(error) => found.push(format!("{name}: {error}")),
                    }
                    reader.into_archive().next_member()
                }
            };
        }
        let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(it, want)| it.starts_with(want));
        assert!(fits, "{found:?} is not {expected:?}");
    }

    #[test]
    fn xml_members_come_in_order_and_pictures_do_not() {
        check(
            zip_of(&[
                ("import_files/a1/a.jpg", b"\xff\xd8"),
                ("import0_1.xml", b"<a/>"),
                ("offers0_1.XML", &[b'x'; 70_000]),
            ]),
            &["import0_1.xml: 4", "offers0_1.XML: 70000"],
        );
        check(zip_of(&[]), &[]);
    }

    #[test]
    fn dangerous_members_are_refused_and_the_rest_is_read() {
        check(
            zip_of(&[("../evil.xml", b"<a/>"), ("/etc/x.xml", b""), ("inner.zip", b"PK"), ("good.xml", b"<a/>")]),
            &[
                "../evil.xml: decode-archive-name",
                "/etc/x.xml: decode-archive-name",
                "inner.zip: decode-archive-nested",
                "good.xml: 4",
            ],
        );
    }

    #[test]
    fn a_bomb_stops_early() {
        let zeros = vec![0u8; 64 * 1024 * 1024];
        check(zip_of(&[("bomb.xml", &zeros)]), &["bomb.xml: the member \"bomb.xml\" unpacks"]);
    }

    #[test]
    fn damage_is_told() {
        let mut bytes = zip_of(&[("a.xml", b"0123456789 0123456789 qwertyuiop")]);
        let at = bytes.windows(4).position(|it| it == b"PK\x01\x02").expect("a directory") - 8;
        bytes[at] ^= 0x55;
        check(bytes.clone(), &["a.xml: "]);
        bytes.truncate(40);
        check(bytes, &["decode-archive-damaged"]);
    }
}
