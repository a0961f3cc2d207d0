//! Numbers in a file as numpy reads them (NEP 1, version 1.0 of the format).

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use crate::error::BenchError;

/// Writes numbers in rows of `columns`; without `columns` as one row without an end.
pub(crate) fn write(path: &Path, values: &[f64], columns: Option<usize>) -> Result<(), BenchError> {
    let shape = match columns {
        Some(columns) => format!("({}, {columns})", values.len() / columns),
        None => format!("({},)", values.len()),
    };
    let mut head = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version, length and this text with its line end take a multiple of 64 bytes together.
    while (head.len() + 11) % 64 != 0 {
        head.push(' ');
    }
    head.push('\n');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(head.len() as u16).to_le_bytes())?;
    file.write_all(head.as_bytes())?;
    for value in values {
        file.write_all(&value.to_le_bytes())?;
    }
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_aligned_and_tells_the_shape() {
        let file = tempfile::NamedTempFile::new().unwrap();
        write(file.path(), &[1.0, 2.0, 3.0, 4.0], Some(2)).unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        let head = usize::from(bytes[8]) + 10;
        assert_eq!((head % 64, bytes.len() - head, bytes[head - 1]), (0, 32, b'\n'));
        assert!(String::from_utf8_lossy(&bytes[..head]).contains("'shape': (2, 2)"));
        assert_eq!(bytes[head..head + 8], 1.0_f64.to_le_bytes());
    }
}
