//! Bytes of any usual encoding as UTF-8.
//!
//! A byte order mark decides; so do NUL bytes at every other place (UTF-16). Without them, text is as undecided as it is
//! ASCII; the first other bytes decide between UTF-8, GB18030 and Windows-1252, which contains Latin-1.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use encoding_rs::{Decoder, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::LearnError;

/// How much is looked at to decide.
const SAMPLE: usize = 64 << 10;
/// A file of which so much is control characters is no text.
const BINARY: f64 = 0.02;

/// What was found while decoding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Findings {
    /// Unless it is UTF-8.
    pub(super) encoding: Option<&'static str>,
    /// Bytes that are no text.
    pub(super) broken: u64,
}

/// Reads UTF-8 from bytes of another encoding.
pub(super) struct Utf8<R> {
    inner: R,
    /// None as long as all is ASCII.
    decoder: Option<Decoder>,
    findings: Rc<Cell<Findings>>,
    /// Bytes that were read ahead, and how many of them are used up.
    raw: Vec<u8>,
    used: usize,
    /// Text, and how much of it was given out.
    text: String,
    given: usize,
    ended: bool,
}

impl<R: BufRead> Utf8<R> {
    pub(super) fn new(inner: R) -> Result<(Self, Rc<Cell<Findings>>), LearnError> {
        let findings = Rc::new(Cell::new(Findings::default()));
        let mut reader = Self {
            inner,
            decoder: None,
            findings: Rc::clone(&findings),
            raw: Vec::new(),
            used: 0,
            text: String::new(),
            given: 0,
            ended: false,
        };
        reader.gather()?;
        let sample = reader.raw.as_slice();
        let marked = Encoding::for_bom(sample).map(|(encoding, _)| encoding);
        if let Some(encoding) = marked.or_else(|| utf16(sample)) {
            reader.decide(encoding);
        } else {
            let controls = sample.iter().filter(|byte| **byte < 9 || (14..32).contains(*byte)).count();
            if controls as f64 > BINARY * sample.len() as f64 {
                let what = "this is no text: a table is needed, such as CSV, with or without gzip or zstd";
                return Err(LearnError::File(what.to_owned()));
            }
        }
        Ok((reader, findings))
    }

    /// The beginning of the text, without taking it.
    pub(super) fn head(&mut self) -> Result<&str, LearnError> {
        while self.text.len() < SAMPLE && !self.ended {
            self.decode()?;
        }
        Ok(&self.text)
    }

    fn decide(&mut self, encoding: &'static Encoding) {
        self.decoder = Some(encoding.new_decoder_with_bom_removal());
        let encoding = (encoding != UTF_8).then(|| encoding.name());
        self.findings.set(Findings { encoding, ..self.findings.get() });
    }

    /// Reads until there is a sample, or the end.
    fn gather(&mut self) -> io::Result<()> {
        self.raw.drain(..self.used);
        self.used = 0;
        let missing = SAMPLE.saturating_sub(self.raw.len());
        self.inner.by_ref().take(missing as u64).read_to_end(&mut self.raw)?;
        Ok(())
    }

    /// Turns what is there into text.
    fn decode(&mut self) -> io::Result<()> {
        self.gather()?;
        let last = self.raw.len() < SAMPLE;
        if self.decoder.is_none() {
            let ascii = Encoding::ascii_valid_up_to(&self.raw);
            if ascii == self.raw.len() {
                self.text.extend(self.raw.iter().map(|byte| *byte as char));
                self.used = ascii;
                self.ended = last;
                self.drop_nul(self.text.len() - ascii);
                return Ok(());
            }
            // The sample is best from the first byte on that is not ASCII.
            if ascii > 0 && !last {
                self.text.extend(self.raw[..ascii].iter().map(|byte| *byte as char));
                self.used = ascii;
                self.drop_nul(self.text.len() - ascii);
                return Ok(());
            }
            self.decide(guess(&self.raw));
        }
        let Some(decoder) = self.decoder.as_mut() else { return Ok(()) };
        let before = self.text.len();
        let longest = decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(self.raw.len() * 3 + 16);
        self.text.reserve(longest);
        let (_, read, _) = decoder.decode_to_string(&self.raw, &mut self.text, last);
        self.used = read;
        self.ended = last;
        let replaced = self.text[before..].matches(char::REPLACEMENT_CHARACTER).count() as u64;
        self.count(replaced);
        self.drop_nul(before);
        Ok(())
    }

    fn count(&self, broken: u64) {
        let findings = self.findings.get();
        self.findings.set(Findings { broken: findings.broken + broken, ..findings });
    }

    fn drop_nul(&mut self, from: usize) {
        if self.text.as_bytes()[from..].contains(&0) {
            let tail = self.text.split_off(from);
            self.count(tail.bytes().filter(|byte| *byte == 0).count() as u64);
            self.text.extend(tail.chars().filter(|character| *character != '\0'));
        }
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.given == self.text.len() && !self.ended {
            self.text.clear();
            self.given = 0;
            self.decode()?;
        }
        Ok(&self.text.as_bytes()[self.given..])
    }

    fn consume(&mut self, amount: usize) {
        self.given += amount;
    }
}

/// UTF-16 without a mark: in text of the western world every other byte is NUL.
fn utf16(sample: &[u8]) -> Option<&'static Encoding> {
    let nul = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count() * 2;
    let most = sample.len() * 4 / 5;
    match (nul(0), nul(1)) {
        _ if sample.len() < 8 => None,
        (even, odd) if even >= most && odd * 20 < sample.len() => Some(UTF_16BE),
        (even, odd) if odd >= most && even * 20 < sample.len() => Some(UTF_16LE),
        _ => None,
    }
}

/// The encoding of bytes that are not ASCII alone and have no mark.
fn guess(sample: &[u8]) -> &'static Encoding {
    let valid = Encoding::utf8_valid_up_to(sample);
    // The sample may end within a character.
    if valid + 4 > sample.len() && valid > 0 || valid == sample.len() {
        return UTF_8;
    }
    // In Chinese text bytes beyond ASCII come in pairs; in western text a letter with an accent mostly stands alone.
    let (mut beyond, mut paired) = (0_usize, 0_usize);
    for run in sample.chunk_by(|one, other| one.is_ascii() == other.is_ascii()).filter(|run| !run[0].is_ascii()) {
        beyond += run.len();
        paired += if run.len() >= 2 { run.len() } else { 0 };
    }
    let cut = sample.len() - sample.len().min(4).min(sample.len() / 2);
    let chinese = GB18030.decode_without_bom_handling_and_without_replacement(&sample[..cut]).is_some()
        || GB18030.decode_without_bom_handling_and_without_replacement(&sample[..cut - 1]).is_some();
    if chinese && paired * 10 > beyond * 7 {
        return GB18030;
    }
    // Mostly UTF-8 with few broken bytes stays UTF-8.
    let text = String::from_utf8_lossy(sample);
    let broken = text.matches(char::REPLACEMENT_CHARACTER).count();
    let whole = text.chars().filter(|character| !character.is_ascii()).count() - broken;
    if whole > 4 * broken { UTF_8 } else { WINDOWS_1252 }
}
