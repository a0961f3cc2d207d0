//! `secrets.key`: the key under which the records seal secrets that are needed again, as those of second factors.
//!
//! It is made at the first start and readable by its owner alone. It is not in the records, so that who has a copy of these has no
//! secrets; a backup, which is the whole installation, has both. Without it what was sealed under it is lost: people sign in with a
//! recovery code, or an administrator removes their second factor.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

use rapport_records::{Desk, people::SealingKey};

use crate::cli::Failure;

/// The file in the data folder.
pub(crate) const FILE: &str = "secrets.key";

/// Gives the records the key of a data folder, which is made if there is none.
pub(crate) fn give_key(data: &Path, desk: &Desk) -> Result<(), Failure> {
    let path = data.join(FILE);
    if !path.exists() {
        make(&path)?;
    }
    let lost = desk.set_sealing_key(read(&path)?)?;
    if lost > 0 {
        tracing::warn!(
            second_factors = lost,
            key = %path.display(),
            "sealed under another key; put that back, or let people sign in with recovery codes and set up their second factor anew"
        );
    }
    Ok(())
}

fn read(path: &Path) -> Result<SealingKey, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let digits = text.trim();
    let mut key = [0; 32];
    let is_read = digits.len() == 64
        && digits.is_ascii()
        && (0..32).all(|place| {
            u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).map(|byte| key[place] = byte).is_ok()
        });
    if !is_read {
        return Err(format!(
            "{} is damaged: it must hold 64 hexadecimal digits; put it back from a backup, or remove it, and all second factors have \
             to be set up anew",
            path.display()
        )
        .into());
    }
    Ok(SealingKey::of(key))
}

/// Makes a key; one that another process made meanwhile stays.
fn make(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let temporary = PathBuf::from(format!("{}.{}", path.display(), std::process::id()));
    let mut text = String::with_capacity(64);
    for byte in SealingKey::random()?.reveal() {
        write!(text, "{byte:02x}").expect("a text takes everything");
    }
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(format!("{} cannot be made: {error}", path.display()).into())
        }
        // Its name, too, must be there after a loss of power: what is sealed under it is of no use without it.
        _ => Ok(path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())?),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        make(&path).unwrap();
        let first = read(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        make(&path).unwrap();
        assert_eq!(read(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, "00ff").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("64 hexadecimal digits"));
        std::fs::write(&path, "é".repeat(32)).unwrap();
        assert!(read(&path).is_err());
    }
}
