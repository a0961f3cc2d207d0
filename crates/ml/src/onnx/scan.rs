//! Counts the parts of an ONNX file before they are unpacked: a part takes hundreds of bytes in memory, but only two in a
//! file, so that a small file could fill the memory.

use super::read::bad;
use crate::MlError;

/// How many parts a file may have: operators, attributes, tensors, inputs and what is in them.
const MOST_PARTS: usize = 100_000;

/// The parts that hold parts, by the path of their field numbers in `proto.rs`.
const HOLDERS: [&[u64]; 9] =
    [&[], &[7], &[7, 1], &[7, 1, 5], &[7, 11], &[7, 12], &[7, 11, 2], &[7, 11, 2, 1], &[7, 11, 2, 1, 2]];
/// Parts whose number is that of a model's nodes and not of its operators: they are small. Texts of an attribute.
const TEXTS: &[u64] = &[7, 1, 5, 9];

/// Refuses a file with too many parts. What is no message at all is left to the decoder.
pub(super) fn check(bytes: &[u8]) -> Result<(), MlError> {
    let mut parts = 0;
    count(bytes, &mut Vec::new(), &mut parts);
    if parts > MOST_PARTS { Err(bad(format!("the file has more than {MOST_PARTS} parts"))) } else { Ok(()) }
}

fn count(mut bytes: &[u8], path: &mut Vec<u64>, parts: &mut usize) {
    while *parts <= MOST_PARTS
        && let Some(key) = varint(&mut bytes)
    {
        let skipped = match key & 7 {
            0 => varint(&mut bytes).map(|_| ()),
            1 => skip(&mut bytes, 8).map(|_| ()),
            5 => skip(&mut bytes, 4).map(|_| ()),
            2 => varint(&mut bytes).and_then(|len| skip(&mut bytes, len)).map(|part| {
                path.push(key >> 3);
                if path != TEXTS {
                    *parts += 1;
                }
                if HOLDERS.contains(&path.as_slice()) {
                    count(part, path, parts);
                }
                path.pop();
            }),
            _ => None,
        };
        if skipped.is_none() {
            return;
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn skip<'a>(bytes: &mut &'a [u8], len: u64) -> Option<&'a [u8]> {
    let (part, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    Some(part)
}
