//! A throw-away PostgreSQL.
//!
//! Each [`Server`] is a cluster of its own in a temporary folder, reached through a Unix socket in that folder and through
//! nothing else, so servers of tests that run side by side cannot meet. A shell beside us (`postgres.sh`) starts it, and
//! stops it and removes the folder when its standard input ends. That is a pipe whose other end this process holds and
//! no child inherits, so the server is gone after a drop, after a normal end that drops nothing (a server in a `static`),
//! and after SIGKILL.
//!
//! The shell is in a process group of its own, because runners of tests end a whole group. `initdb` is run once for a
//! build folder; each start copies what it made. As root the server runs as the user `postgres`, whom Debian's package
//! creates. `TMPDIR` says where the folder is made; PostgreSQL refuses one whose name is too long for a socket (107 bytes).

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::{env, fs};

/// The environment variable with the folder of PostgreSQL's programs, for a machine on which it would not be found.
pub const FOLDER_VARIABLE: &str = "RAPPORT_TEST_POSTGRES";

/// The programs that are used here; a folder that lacks one of them will not do.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "createdb"];

/// Where Debian's packages put the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What stops the server when its standard input ends.
const SUPERVISOR: &str = include_str!("postgres.sh");

/// Nothing outlives the server, so nothing need survive the machine.
const VOLATILE: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// A running PostgreSQL; it is stopped, and all that it held removed, when this is dropped.
#[derive(Debug)]
pub struct Server {
    supervisor: Child,
    programs: PathBuf,
    folder: PathBuf,
}

impl Server {
    /// Starts a server for tests. Its data is in memory (tmpfs) if there is 1 GiB of that and `TMPDIR` says nothing else,
    /// and is synced nowhere.
    ///
    /// The error is a text for the person who runs the tests: PostgreSQL is not there, or what it said.
    pub fn start() -> Result<Self, String> {
        Self::start_with("memory", VOLATILE, None)
    }

    /// As [`Self::start`], and it also listens on TCP at an address of the loopback network that no other server of these has, port
    /// 5432: with TLS by a certificate and its key, both PEM, or without.
    pub fn start_on_tcp(tls: Option<(&str, &str)>) -> Result<(Self, Ipv4Addr), String> {
        static STARTED: AtomicU8 = AtomicU8::new(1);
        let [high, low] = (std::process::id() as u16).to_be_bytes();
        // 127.0.0.0/16 is left to others; a process id has 22 bits, and of what is cut off two rarely run at once.
        let address = Ipv4Addr::new(127, high | 1, low, STARTED.fetch_add(1, Ordering::Relaxed));
        let listen = format!("listen_addresses={address}");
        let settings: Vec<&str> = VOLATILE.iter().copied().chain([listen.as_str()]).collect();
        Ok((Self::start_with("memory", &settings, tls)?, address))
    }

    /// Starts a server with PostgreSQL's own promises: a commit is on the disk of the temporary folder when it returns.
    /// For measurements, with the memory that its manual advises instead of the 128 MB that it takes unasked.
    pub fn start_durable() -> Result<Self, String> {
        Self::start_with("disk", &["shared_buffers=2GB"], None)
    }

    /// `place` and `settings` as `postgres.sh` explains them.
    fn start_with(place: &str, settings: &[&str], tls: Option<(&str, &str)>) -> Result<Self, String> {
        let programs = programs().ok_or_else(|| {
            "PostgreSQL was not found, which this test needs; run `cargo xtask services postgresql`".to_owned()
        })?;
        if !is_complete(&programs) {
            return Err(format!("{FOLDER_VARIABLE} names {}, which lacks some of {PROGRAMS:?}", programs.display()));
        }
        let mut command = Command::new("sh");
        command.arg("-c").arg(SUPERVISOR).arg("postgres").arg(&programs).arg(template(&programs)?).arg(place);
        for setting in ["timezone=UTC"].iter().chain(settings) {
            command.args(["-c", setting]);
        }
        command.env_remove("RAPPORT_TLS_CERTIFICATE").env_remove("RAPPORT_TLS_KEY");
        if let Some((certificate, key)) = tls {
            command.env("RAPPORT_TLS_CERTIFICATE", certificate).env("RAPPORT_TLS_KEY", key);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut supervisor = command.spawn().map_err(|error| format!("cannot start `sh`: {error}"))?;
        let said = said(&mut supervisor);
        match said.trim_end().strip_prefix("ready ") {
            Some(folder) => Ok(Self { folder: PathBuf::from(folder), supervisor, programs }),
            None => {
                // It has ended by itself; only its exit status is collected here.
                drop(supervisor.wait());
                Err(format!("PostgreSQL of {} did not start: {}", programs.display(), said.trim_end()))
            }
        }
    }

    /// Makes an empty database and hands back its URL, `postgres://postgres@SOCKET-FOLDER/NAME` percent-encoded, which
    /// every client that is built on libpq's rules understands.
    ///
    /// # Panics
    /// If there is a database of this name already, for instance: [`Self::try_database`] says it as an error.
    #[must_use]
    pub fn database(&self, name: &str) -> String {
        self.try_database(name).unwrap_or_else(|message| panic!("{message}"))
    }

    /// As [`Self::database`], with what `createdb` said as the error.
    pub fn try_database(&self, name: &str) -> Result<String, String> {
        // The program, not a client library: a test that runs in an asynchronous runtime may call it too.
        let made = Command::new(self.programs.join("createdb"))
            .args(["-p", "5432", "-U", "postgres", "-h"])
            .arg(&self.folder)
            .args(["--", name])
            .output()
            .map_err(|error| format!("cannot start `createdb`: {error}"))?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).trim_end().to_owned());
        }
        Ok(format!(
            "postgres://postgres@{}/{}",
            percent_encoded(self.folder.as_os_str()),
            percent_encoded(name.as_ref())
        ))
    }

    /// The temporary folder: the socket, the file `log` of what the server says, and the cluster in `data`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Waiting closes the pipe first; nothing could be done about a failure.
        drop(self.supervisor.wait());
    }
}

/// The folder of PostgreSQL's programs: what [`FOLDER_VARIABLE`] names, else that of the `initdb` on the path, else
/// Debian's newest.
pub fn programs() -> Option<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
        return Some(PathBuf::from(folder));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // A link on the path leads to the folder in which the rest is.
    let on_path = env::split_paths(&path)
        .filter_map(|folder| Some(folder.join("initdb").canonicalize().ok()?.parent()?.to_owned()))
        .find(|folder| is_complete(folder));
    on_path.or_else(|| newest(Path::new(DEBIAN)))
}

/// The complete folder of the highest version among folders laid out as `VERSION/bin`.
fn newest(versions: &Path) -> Option<PathBuf> {
    let version =
        |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")));
    let found = fs::read_dir(versions).ok()?.filter_map(|entry| version(entry.ok()?));
    found.filter(|(_, folder)| is_complete(folder)).max().map(|(_, folder)| folder)
}

fn is_complete(folder: &Path) -> bool {
    PROGRAMS.iter().all(|program| folder.join(program).is_file())
}

/// Where the cluster that is copied lies: beside the running program, so in the build folder. Its name changes with all
/// that its content depends on. (The user decides who owns it.)
fn template(programs: &Path) -> Result<PathBuf, String> {
    let postgres = programs.join("postgres");
    let version = printed(Command::new(&postgres).arg("--version"))?;
    let user = printed(Command::new("id").arg("-u"))?;
    let mut hasher = DefaultHasher::new();
    (version, user, SUPERVISOR).hash(&mut hasher);
    let program = env::current_exe().map_err(|error| format!("cannot tell where this program lies: {error}"))?;
    Ok(program.with_file_name(format!("postgres-template-{:016x}", hasher.finish())))
}

fn printed(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    Ok(output.stdout)
}

/// All that the supervisor says until it is ready or has failed.
fn said(supervisor: &mut Child) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = supervisor.stdout.take() {
        // What was read before an error still says how far it came.
        drop(stream.read_to_end(&mut bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text with everything but letters, digits, `-`, `_` and `.` as `%XX`.
fn percent_encoded(text: &OsStr) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encoded = |&byte: &u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.as_encoded_bytes().iter().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_newest_version_is_the_highest_number_that_is_complete() {
        let temporary = tempfile::tempdir().unwrap();
        let versions = temporary.path();
        for (version, programs) in
            [("9", &PROGRAMS[..]), ("15", &PROGRAMS), ("100", &PROGRAMS[1..]), ("all", &PROGRAMS)]
        {
            let folder = versions.join(version).join("bin");
            fs::create_dir_all(&folder).unwrap();
            for program in programs {
                fs::write(folder.join(program), "").unwrap();
            }
        }
        assert_eq!(newest(versions), Some(versions.join("15/bin")));
        assert_eq!(newest(&versions.join("none")), None);
    }

    #[test]
    fn a_server_that_refuses_its_settings_is_an_error_with_what_it_said() {
        let message = Server::start_with("disk", &["no_such_setting=1"], None).unwrap_err();
        assert!(message.contains("did not start"), "{message}");
        assert!(message.contains("no_such_setting"), "{message}");
    }

    #[test]
    fn what_means_something_in_a_url_is_encoded() {
        assert_eq!(percent_encoded("/tmp/a-b_c.D9".as_ref()), "%2Ftmp%2Fa-b_c.D9");
        assert_eq!(percent_encoded("é?@:% ".as_ref()), "%C3%A9%3F%40%3A%25%20");
    }
}
