//! What systemd and a watch service are told by the real program.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::daemon_support::{Place, uzel};

const SITE: &str = "locale = \"en\"\n[connection.site]\nconnector = \"forms\"\n";

#[test]
fn systemd_is_told_that_it_is_ready_lives_and_stops() {
    let place = Place::new(SITE, "");
    let path = place.path().join("notify.sock");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("it is ours");
    let mut daemon = uzel(&["-d", &place.name(), "run", "--listen", "127.0.0.1:0"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "3000000")
        .env_remove("WATCHDOG_PID")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the daemon starts");
    let told = || {
        let mut text = [0; 256];
        let length = socket.recv(&mut text).expect("within the time of the watchdog");
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let mut first = vec![told(), told(), told(), told()];
    first.sort_unstable();
    assert_eq!(first, ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
    let id = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
    let last = std::iter::repeat_with(told).find(|it| it != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    assert!(daemon.wait().expect("it ends").success());
}

/// A watch service: its address, and how many beats came.
async fn watch_service() -> (String, Arc<AtomicUsize>) {
    let beats = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&beats);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/ping/s3cret", listener.local_addr().expect("it is bound"));
    let router = axum::Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        std::future::ready("OK")
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, beats)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heart_beats_while_all_is_well_and_not_while_intake_is_shut() {
    let (address, beats) = watch_service().await;
    let settings = format!("{SITE}[heartbeat]\nurl = \"{address}\"\nevery_s = 10\nallow_private = true\n");
    let place = Place::new(&settings, "");
    let daemon = place.start();
    super::daemon_support::until("a beat", || (beats.load(Ordering::SeqCst) > 0).then_some(()));
    assert_eq!(daemon.stop(), Some(0));

    let full = format!("{settings}[limits]\nfree_space_mib = 1000000\n");
    std::fs::write(place.path().join("uzel.toml"), full).expect("it is written");
    let before = beats.load(Ordering::SeqCst);
    let daemon = place.start();
    let refused = |status: &serde_json::Value| {
        status["alarms"].as_array()?.iter().find(|it| it["id"] == "intake-refused").cloned()
    };
    let alarm = daemon.until("status", refused).await;
    assert_eq!((alarm["severity"].as_str(), alarm["subject"].as_str()), (Some("critical"), Some("")));
    super::daemon_support::until("it says so", || daemon.log().contains("no heartbeat").then_some(()));
    assert_eq!(beats.load(Ordering::SeqCst), before);
    assert!(!daemon.log().contains("s3cret"));
    // What it knows of itself is in the metrics.
    let metrics = daemon.plain("GET /metrics", &[]).1;
    assert!(metrics.contains(r#"uzel_alarms{alarm="intake-refused",subject=""} 1"#), "{metrics}");
    assert_eq!(daemon.stop(), Some(0));
}
