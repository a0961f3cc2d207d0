//! Chooses the pages to embed: what Node has built in `web/dist`, else a placeholder that says how to build them, so that
//! `cargo build` works without Node.
//!
//! When `web/dist` appears for the first time this file has to be touched, which `cargo xtask ui` does: to watch for a
//! path that is not there would make every build start over.

use std::path::Path;

fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let built = Path::new(&here).join("../../web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    let pages = if built.join("index.html").is_file() {
        println!("cargo:rerun-if-changed={}", built.display());
        built
    } else {
        let placeholder = Path::new(&here).join("placeholder");
        println!("cargo:rerun-if-changed={}", placeholder.display());
        placeholder
    };
    println!("cargo:rustc-env=RAPPORT_PAGES={}", pages.display());
}
