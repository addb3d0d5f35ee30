//! The bounds of the listener: slow senders, large bodies, many connections, shutdown.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uzel::base::limits::LARGE_BODIES_MAX;
use uzel::http::Options;

use crate::http_support::{Running, SECRET, Setup, read_reply, request};

fn setup(change: impl FnOnce(&mut Options)) -> Setup {
    let mut setup = Setup::usual();
    change(&mut setup.options);
    setup
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("it listens")
}

#[tokio::test]
async fn headers_that_dribble_are_cut_by_the_timer() {
    let running = Running::start(setup(|it| it.header_read_timeout_ms = 60)).await;
    let mut stream = connect(running.address).await;
    stream.write_all(b"POST /in/site/x HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("it reads");
    // Only the listener's timer can end this read.
    let reply = read_reply(&mut stream).await;
    assert!(reply.status == 0 || reply.status == 408, "{reply:?}");

    // A connection on which nothing is sent at all ends too.
    let mut silent = connect(running.address).await;
    assert_eq!(read_reply(&mut silent).await.status, 0);
}

#[tokio::test]
async fn a_body_that_dribbles_is_408() {
    let running = Running::start(setup(|it| it.request_timeout_ms = 60)).await;
    let mut stream = connect(running.address).await;
    let head = format!("POST /in/site/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nName=");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let reply = read_reply(&mut stream).await;
    assert_eq!((reply.status, reply.header("connection")), (408, Some("close")));
    assert!(running.journal.envelopes().is_empty());
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_503() {
    let running = Running::start(setup(|it| it.request_timeout_ms = 60)).await;
    running.journal.hold();
    let reply = running.send(&format!("POST /in/site/{SECRET}"), "", "a=1").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("10")));
}

#[tokio::test]
async fn a_body_over_the_bound_is_413_and_not_kept() {
    let running = Running::start(Setup::usual()).await;
    let line = format!("POST /in/site/{SECRET}");
    let largest = running.send(&line, "", vec![b'a'; 256 * 1024]).await;
    assert_eq!(largest.status, 200);
    for bytes in [256 * 1024 + 1, 2 * 1024 * 1024] {
        let reply = running.send(&line, "", vec![b'a'; bytes]).await;
        assert_eq!((reply.status, reply.header("connection")), (413, Some("close")), "{bytes}");
    }
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "a".repeat(64 * 1024));
    let head = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunked = |count: usize| format!("{head}{}0\r\n\r\n", chunk.repeat(count));
    assert_eq!(running.raw(chunked(4)).await.status, 200);
    assert_eq!(running.raw(chunked(5)).await.status, 413);
    assert_eq!(running.journal.envelopes().iter().map(|it| it.body.len()).collect::<Vec<_>>(), [256 * 1024; 2]);
}

#[tokio::test]
async fn a_form_with_files_may_be_larger_and_lies_beside_the_journal() {
    let running = Running::start(Setup::usual()).await;
    let form = |bytes: usize| {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n".to_vec();
        body.resize(body.len() + bytes, b'x');
        body.extend_from_slice(b"\r\n--b--\r\n");
        body
    };
    let send = async |bytes: usize| {
        let line = format!("POST /in/site/{SECRET}");
        running.send(&line, "Content-Type: multipart/form-data; boundary=b", form(bytes)).await.status
    };
    assert_eq!(send(500_000).await, 200);
    assert_eq!(running.journal.bodies(), [] as [usize; 0]);
    assert_eq!(send(3_000_000).await, 200);
    assert_eq!(running.journal.bodies(), [form(3_000_000).len()]);
    assert_eq!(send(20 * 1024 * 1024).await, 413);
    assert_eq!(running.journal.envelopes().len(), 2);
}

#[tokio::test]
async fn large_bodies_in_memory_are_bounded() {
    let running = Running::start(Setup::usual()).await;
    let head = format!(
        "POST /in/site/{SECRET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n\r\n"
    );
    let mut open = Vec::new();
    for _ in 0..LARGE_BODIES_MAX {
        let mut stream = connect(running.address).await;
        stream.write_all(head.as_bytes()).await.expect("it reads");
        // "Continue" says that the body is being read.
        let mut line = [0; 25];
        stream.read_exact(&mut line).await.expect("it goes on");
        assert!(line.starts_with(b"HTTP/1.1 100"));
        open.push(stream);
    }
    let refused = running.raw(&head).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("10")));
    // Small ones go on, and a place that becomes free is taken again.
    assert_eq!(running.send(&format!("POST /in/site/{SECRET}"), "", "a=1").await.status, 200);
    let mut first = open.remove(0);
    first.write_all(&vec![b'x'; 300_000]).await.expect("it reads");
    assert_eq!(read_reply(&mut first).await.status, 200);
    let body = vec![b'x'; 300_000];
    let line = format!("POST /in/site/{SECRET}");
    assert_eq!(running.send(&line, "Content-Type: multipart/form-data; boundary=b", body).await.status, 200);
}

#[tokio::test]
async fn headers_over_the_bound_are_431() {
    let running = Running::start(Setup::usual()).await;
    let large = format!("X-Large: {}", "a".repeat(140 * 1024));
    assert_eq!(running.send("GET /healthz", &large, "").await.status, 431);
    let many = (0..120).map(|it| format!("X-{it}: 1\n")).collect::<String>();
    assert_eq!(running.send("GET /healthz", &many, "").await.status, 431);
}

#[tokio::test]
async fn connections_over_the_cap_are_closed() {
    let running = Running::start(setup(|it| it.connections_max = 1)).await;
    let mut first = connect(running.address).await;
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("it reads");
    let mut some = [0; 16];
    first.read_exact(&mut some).await.expect("the first is served");

    let mut second = connect(running.address).await;
    assert_eq!(read_reply(&mut second).await.status, 0);
    drop(first);
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let running = Running::start(Setup::usual()).await;
    let mut stream = connect(running.address).await;
    let keep = |body: &str| {
        let length = body.len();
        format!("POST /in/tilda/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    // Pipelined, and after a refusal, too.
    let wrong = "POST /in/tilda/wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=1".to_owned();
    let last = String::from_utf8(request(&format!("POST /in/tilda/{SECRET}"), "", "c=3")).expect("text");
    stream.write_all((keep("a=1") + &wrong + &keep("b=2") + &last).as_bytes()).await.expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("answers are text");
    let statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).map(|it| &it[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200", "200"]);
    assert_eq!(running.journal.envelopes().len(), 3);
}

#[tokio::test]
async fn shutdown_finishes_the_open_request_and_takes_no_more() {
    let mut running = Running::start(Setup::usual()).await;
    running.journal.hold();
    let address = running.address;
    let mut stream = connect(address).await;
    // Without `Connection: close`: the listener itself has to end the connection.
    let open = format!("POST /in/tilda/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=1");
    stream.write_all(open.as_bytes()).await.expect("it reads");
    running.journal.wait_for_appends(1).await;

    let journal = running.journal.clone();
    running.begin_stop();
    let stopping = tokio::spawn(running.stopped());
    // The socket is closed once the listener has seen the signal.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished(), "it waits for the open request");
    journal.let_go();
    let reply = read_reply(&mut stream).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
    stopping.await.expect("it ends");
}

#[tokio::test]
async fn a_request_that_outlasts_the_grace_is_cut() {
    let running = Running::start(setup(|it| it.shutdown_grace_ms = 30)).await;
    running.journal.hold();
    let mut stream = connect(running.address).await;
    stream.write_all(&request(&format!("POST /in/tilda/{SECRET}"), "", "a=1")).await.expect("it reads");
    running.journal.wait_for_appends(1).await;
    running.stopped().await;
    assert_eq!(read_reply(&mut stream).await.status, 0);
}
