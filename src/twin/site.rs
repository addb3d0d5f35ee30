//! Sites that send forms: browsers (urlencoded, multipart, JSON, JSON as plain text) and Tilda.
//!
//! Source: facts/email-forms.md sections 2.0, 2.1, 2.10 and 6. A [`RawRequest`] is made first and
//! sent after, so that the same bytes can be sent twice (a doubled click, a browser that repeats)
//! or given to a test without a network. Ids and instants are the caller's.

use crate::base::{Message, Timestamp};

/// A request as it goes over the wire; the address is given when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// `POST`, or `OPTIONS` for a preflight.
    pub method: &'static str,
    /// What is appended to the address: query parameters (UTM marks of a page's script).
    pub query: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A form that somebody filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The page's origin: `https://shop.example`.
    pub origin: String,
    /// The whole address of the page, UTM marks in it: `https://shop.example/?utm_source=yandex`.
    pub page: String,
    /// Fields by name, in the order of the form.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// A request for a call back, with marks of a campaign. Not a real person's data.
    pub fn sample(name: &str, phone: &str) -> Form {
        Form {
            origin: "https://shop.example".to_owned(),
            page: "https://shop.example/kovriki?utm_source=yandex&utm_medium=cpc&utm_campaign=%D0%BA%D0%BE%D0%B2%D1%80%D0%B8%D0%BA%D0%B8&yclid=1234567890"
                .to_owned(),
            fields: [("name", name), ("phone", phone), ("email", "client@mail.example"), ("comment", "Перезвоните, пожалуйста")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        }
    }

    fn browser_headers(&self, content_type: &str) -> Vec<(String, String)> {
        [
            ("content-type", content_type),
            ("origin", self.origin.as_str()),
            ("referer", self.page.as_str()),
            ("accept", "*/*"),
            ("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn post(&self, content_type: &str, body: Vec<u8>) -> RawRequest {
        RawRequest { method: "POST", query: String::new(), headers: self.browser_headers(content_type), body }
    }

    /// `application/x-www-form-urlencoded`: an ordinary form.
    pub fn urlencoded(&self) -> RawRequest {
        self.post("application/x-www-form-urlencoded", urlencode(&self.fields).into_bytes())
    }

    /// `multipart/form-data` with files (field, file name, content type, bytes). The name of a file
    /// goes as raw 8-bit text, as browsers send it.
    pub fn multipart(&self, files: &[(&str, &str, &str, &[u8])]) -> RawRequest {
        const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .into_bytes(),
            );
        }
        for (name, file_name, content_type, bytes) in files {
            body.extend(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {content_type}\r\n\r\n")
                    .into_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        self.post(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    /// `application/json`: a script of the page. A browser sends [`Form::preflight`] first.
    pub fn json(&self) -> RawRequest {
        self.post("application/json", self.json_body())
    }

    /// JSON under `text/plain`: scripts that avoid the preflight.
    pub fn json_as_text(&self) -> RawRequest {
        self.post("text/plain;charset=UTF-8", self.json_body())
    }

    fn json_body(&self) -> Vec<u8> {
        let members: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| {
                format!("{}:{}", serde_json::Value::from(name.as_str()), serde_json::Value::from(value.as_str()))
            })
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    }

    /// The browser's question before a JSON request to another origin.
    pub fn preflight(&self) -> RawRequest {
        let headers = [
            ("origin", self.origin.as_str()),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        RawRequest { method: "OPTIONS", query: String::new(), headers: headers.to_vec(), body: Vec::new() }
    }

    /// The form with the marks of its page as hidden fields, as most builders send them.
    #[must_use]
    pub fn with_page_marks(mut self) -> Form {
        let query = self.page.split_once('?').map_or("", |(_, query)| query).to_owned();
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.fields.push((name.to_owned(), super::percent_decode(value)));
        }
        self
    }
}

/// Tilda's service fields of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TildaMarks {
    /// `digits:digits`; the same over all attempts of a submission.
    pub tranid: String,
    /// `form652374741`.
    pub formid: String,
    /// The name that the owner of the site gave.
    pub formname: String,
    /// The visitor's cookies (`_ym_uid=...; TILDAUTM=...`), when the box "send cookies" is ticked.
    pub cookies: Option<String>,
}

/// What Tilda sends right after a webhook was added; it wants 200.
pub fn tilda_test() -> RawRequest {
    tilda_request(&[("test".to_owned(), "test".to_owned())])
}

/// A submission as Tilda sends it on: the fields of the block, then the service fields.
pub fn tilda_submission(form: &Form, marks: &TildaMarks) -> RawRequest {
    let mut fields = form.fields.clone();
    for (name, value) in [("tranid", &marks.tranid), ("formid", &marks.formid), ("formname", &marks.formname)] {
        fields.push((name.to_owned(), value.clone()));
    }
    fields.extend(marks.cookies.iter().map(|cookies| ("COOKIES".to_owned(), cookies.clone())));
    tilda_request(&fields)
}

fn tilda_request(fields: &[(String, String)]) -> RawRequest {
    // From Tilda's servers, not from a browser: neither Origin nor Referer.
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("user-agent", "Tilda.cc")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    RawRequest { method: "POST", query: String::new(), headers: headers.to_vec(), body: urlencode(fields).into_bytes() }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// For people.
    pub message: Message,
    /// What the client said.
    #[source]
    pub source: reqwest::Error,
}

/// Sends forms.
#[derive(Debug, Clone)]
pub struct Sender {
    http: reqwest::Client,
}

impl Sender {
    /// A sender that waits `timeout_ms` for an answer (a browser waits long, Tilda 5 s).
    pub fn new(timeout_ms: u64) -> Result<Sender, SendError> {
        super::http_client(timeout_ms).map(|http| Sender { http }).map_err(not_sent)
    }

    /// Sends the request to `url` once.
    pub async fn send(&self, url: &str, request: &RawRequest) -> Result<Received, SendError> {
        let url = match request.query.is_empty() {
            true => url.to_owned(),
            false => format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, request.query),
        };
        let method = match request.method {
            "OPTIONS" => reqwest::Method::OPTIONS,
            _ => reqwest::Method::POST,
        };
        let mut sending = self.http.request(method, url).body(request.body.clone());
        for (name, value) in &request.headers {
            sending = sending.header(name, value);
        }
        let response = sending.send().await.map_err(not_sent)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = response.text().await.map_err(not_sent)?;
        Ok(Received { status, headers, body })
    }

    /// Sends the same bytes twice, one after the other: a doubled click.
    pub async fn send_doubled(&self, url: &str, request: &RawRequest) -> Result<[Received; 2], SendError> {
        Ok([self.send(url, request).await?, self.send(url, request).await?])
    }
}

fn not_sent(source: reqwest::Error) -> SendError {
    SendError { message: Message::new("twin-form-not-sent"), source: source.without_url() }
}

/// How long Tilda waits for an answer.
pub const TILDA_TIMEOUT_MS: u64 = 5_000;
/// Attempts of one submission; afterwards it is only in Tilda's own list.
pub const TILDA_ATTEMPTS_MAX: u32 = 3;
/// The pause between two attempts.
pub const TILDA_PAUSE_MS: i64 = 60_000;

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TildaState {
    /// The next attempt is due at this instant.
    Due(Timestamp),
    /// The receiver answered 200.
    Delivered,
    /// All attempts failed.
    GivenUp,
}

/// One submission on its way: the caller asks it again and again with the present instant.
#[derive(Debug, Clone)]
pub struct TildaSubmission {
    request: RawRequest,
    attempts: u32,
    state: TildaState,
}

impl TildaSubmission {
    /// A submission made at `now`; its first attempt is due at once.
    pub fn new(form: &Form, marks: &TildaMarks, now: Timestamp) -> TildaSubmission {
        TildaSubmission { request: tilda_submission(form, marks), attempts: 0, state: TildaState::Due(now) }
    }

    /// Where it stands.
    pub fn state(&self) -> TildaState {
        self.state
    }

    /// Attempts made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Makes the attempt that is due at `now`, if one is. The sender must have Tilda's limit
    /// ([`TILDA_TIMEOUT_MS`]); a late answer counts as none.
    pub async fn step(&mut self, sender: &Sender, url: &str, now: Timestamp) -> TildaState {
        let TildaState::Due(at) = self.state else {
            return self.state;
        };
        if now < at {
            return self.state;
        }
        self.attempts += 1;
        let taken = sender.send(url, &self.request).await.is_ok_and(|it| it.status == 200);
        self.state = match taken {
            true => TildaState::Delivered,
            false if self.attempts >= TILDA_ATTEMPTS_MAX => TildaState::GivenUp,
            false => TildaState::Due(now.plus_ms(TILDA_PAUSE_MS)),
        };
        self.state
    }
}

fn urlencode(fields: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// As forms encode: space is `+`, everything but letters, digits and `*-._` is `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(byte as char),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let fields =
            vec![("name".to_owned(), "Иван & Ко".to_owned()), ("phone".to_owned(), "+7 900 000-00-01".to_owned())];
        Form { fields, ..Form::sample("", "") }
    }

    fn body(request: &RawRequest) -> String {
        String::from_utf8_lossy(&request.body).into_owned()
    }

    #[test]
    fn each_way_of_sending_has_its_body_and_its_headers() {
        let check = |request: &RawRequest, content_type: &str, part: &str| {
            let header =
                |name: &str| request.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
            assert!(header("content-type").is_some_and(|it| it.starts_with(content_type)), "{request:?}");
            assert_eq!(header("origin"), Some("https://shop.example"));
            assert!(header("referer").is_some_and(|it| it.contains("utm_source=yandex")));
            assert!(body(request).contains(part), "{part} is not in {}", body(request));
        };
        check(
            &form().urlencoded(),
            "application/x-www-form-urlencoded",
            "name=%D0%98%D0%B2%D0%B0%D0%BD+%26+%D0%9A%D0%BE&phone=%2B7+900",
        );
        check(&form().json(), "application/json", r#"{"name":"Иван & Ко","#);
        check(&form().json_as_text(), "text/plain", r#""phone":"+7 900 000-00-01"}"#);
        let file: (&str, &str, &str, &[u8]) = ("file", "смета.txt", "text/plain", b"1");
        check(&form().multipart(&[file]), "multipart/form-data", "name=\"file\"; filename=\"смета.txt\"");
        check(
            &form().with_page_marks().urlencoded(),
            "application/x-www-form-urlencoded",
            "utm_campaign=%D0%BA%D0%BE%D0%B2%D1%80",
        );
    }

    #[test]
    fn tilda_sends_its_service_fields_and_no_origin() {
        let marks = TildaMarks {
            tranid: "1234567:890123".to_owned(),
            formid: "form652374741".to_owned(),
            formname: "Cart".to_owned(),
            cookies: Some("_ym_uid=1; TILDAUTM=utm_source%3Dyandex".to_owned()),
        };
        let request = tilda_submission(&form(), &marks);
        assert!(body(&request).ends_with("&tranid=1234567%3A890123&formid=form652374741&formname=Cart&COOKIES=_ym_uid%3D1%3B+TILDAUTM%3Dutm_source%253Dyandex"));
        assert!(!request.headers.iter().any(|(name, _)| name == "origin"));
        assert_eq!(body(&tilda_test()), "test=test");
    }
}
