//! The page in a real browser: Chromium opens the signed link against the daemon of the demo. What
//! the policy of the page forbids, a browser would not show: so this is where it is seen.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::daemon_support::{run, uzel};

/// The demo at work; killed when the test is over.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn demo(folder: &str) -> Demo {
    let mut child = uzel(&["demo", "--keep", folder, "--lang", "ru"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let demo = Demo(child);
    let mut said = String::new();
    for line in out.lines() {
        let line = line.expect("text");
        // The last word of the demo: everything is shown and stays up.
        if line.contains("Ctrl-C") {
            return demo;
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("the demo ended early:\n{said}");
}

/// Chromium over a profile of its own, without a window.
fn chromium(profile: &Path, arguments: &[&str]) -> Vec<u8> {
    let program = std::env::var("UZEL_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let output = Command::new(&program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
        .args(["--disable-dev-shm-usage", "--accept-lang=ru-RU,ru", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}. Install chromium, or name it by UZEL_CHROMIUM"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn link(folder: &str) -> String {
    let said = run(&["-d", folder, "page", "link", "--for", "Иванова", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let made: Value = serde_json::from_str(&said.out).expect("JSON");
    made["url"].as_str().expect("an address").to_owned()
}

#[test]
fn a_browser_opens_the_link_and_shows_the_deals_of_the_demo() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo").display().to_string();
    let _demo = demo(&data);
    let url = link(&data);

    let profile = folder.path().join("profile");
    let page = String::from_utf8(chromium(&profile, &["--dump-dom", &url])).expect("text").replace("&nbsp;", " ");
    for text in [
        "<html lang=\"ru\">",
        "Сделки по приоритету",
        "Прогноз",
        "380 164 ₽",
        "392 664 ₽",
        "ПАО «Сбер»",
        "500 000 ₽ × 55 %",
        "статус: КП (+40 %)",
        "Сколько стоит доставка по Казани?",
        "Ждут звонка или ответа",
        "2 задачи",
    ] {
        assert!(page.contains(text), "{text}:\n{page}");
    }
    // The cookie of the first visit is enough for the next, and the token is nowhere in sight.
    let (base, token) = url.split_once("/page/open/").expect("the address of a link");
    assert!(!page.contains(token));
    let narrowed = chromium(&profile, &["--dump-dom", &format!("{base}/?class=A")]);
    let narrowed = String::from_utf8(narrowed).expect("text");
    assert!(narrowed.contains("Сбер") && !narrowed.contains("Гладиолус"), "{narrowed}");

    for width in [360, 1280] {
        let picture = folder.path().join(format!("page-{width}.png"));
        let (to, size) = (format!("--screenshot={}", picture.display()), format!("--window-size={width},1400"));
        chromium(&profile, &[&to, &size, &format!("{base}/")]);
        let picture = std::fs::read(&picture).expect("a picture");
        let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().expect("four bytes"));
        assert_eq!((&picture[1..4], number(16), number(20)), (&b"PNG"[..], width, 1400));
        // A blank page of this size packs to a few thousand bytes.
        assert!(picture.len() > 20_000, "{width}: {} bytes", picture.len());
    }

    let said = run(&["-d", &data, "page", "revoke", "--all", "--lang", "en"]);
    assert_eq!((said.code, said.out.trim()), (0, "Links revoked: 1"), "{said:?}");
    let closed = String::from_utf8(chromium(&profile, &["--dump-dom", &format!("{base}/")])).expect("text");
    assert!(closed.contains("Ссылка больше не действует") && !closed.contains("Сбер"), "{closed}");
}
