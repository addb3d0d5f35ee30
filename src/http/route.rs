//! Paths of the listener. They are few and fixed, so a match of prefixes serves better than a router:
//! the webhook path is the hot one, and its secret must not travel through any layer that logs.

/// Which part of the listener a path belongs to; also the label of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// `/in/{connection}/{secret}[/{stream}]`.
    Webhook,
    /// `/exchange/{connection}` and the addresses that 1C makes of it.
    Exchange,
    /// `/oauth/{connection}`: a person comes back from a foreign system.
    OAuth,
    /// `/relay/...`: the office of a relay asks.
    Relay,
    /// `/api/...`.
    Api,
    /// `/` and `/page/...`: for people.
    Page,
    /// `/healthz`.
    Health,
    /// `/readyz`.
    Ready,
    /// `/metrics`.
    Metrics,
    /// Anything else.
    Unknown,
}

/// What 1C appends to the address of a site, or people copy from the manual of Bitrix.
const EXCHANGE_SCRIPT: &str = "/bitrix/admin/1c_exchange.php";

impl Route {
    /// In order of their numbers.
    pub(super) const ALL: [Route; 10] = [
        Route::Webhook,
        Route::Exchange,
        Route::OAuth,
        Route::Relay,
        Route::Api,
        Route::Page,
        Route::Health,
        Route::Ready,
        Route::Metrics,
        Route::Unknown,
    ];

    pub(super) fn of(path: &str) -> Route {
        if path.starts_with("/in/") {
            return Route::Webhook;
        }
        match path {
            "/healthz" => Route::Health,
            "/readyz" => Route::Ready,
            "/metrics" => Route::Metrics,
            "/api" => Route::Api,
            "/" => Route::Page,
            EXCHANGE_SCRIPT => Route::Exchange,
            _ if path.starts_with("/api/") => Route::Api,
            _ if path.starts_with("/page/") => Route::Page,
            _ if path.starts_with("/exchange/") => Route::Exchange,
            _ if path.starts_with("/oauth/") => Route::OAuth,
            _ if path.starts_with("/relay/") => Route::Relay,
            _ => Route::Unknown,
        }
    }

    /// For logs and metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Route::Webhook => "webhook",
            Route::Exchange => "exchange",
            Route::OAuth => "oauth",
            Route::Relay => "relay",
            Route::Api => "api",
            Route::Page => "page",
            Route::Health => "healthz",
            Route::Ready => "readyz",
            Route::Metrics => "metrics",
            Route::Unknown => "unknown",
        }
    }
}

/// The parts of a webhook path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WebhookPath<'a> {
    pub(super) connection: &'a str,
    pub(super) secret: &'a str,
    pub(super) stream: Option<&'a str>,
}

impl<'a> WebhookPath<'a> {
    pub(super) fn parse(path: &'a str) -> Option<WebhookPath<'a>> {
        let mut parts = path.strip_prefix("/in/")?.split('/');
        let (connection, secret) = (parts.next()?, parts.next()?);
        // A slash at the end is a slip of whoever copied the address.
        let stream = parts.next().filter(|it| !it.is_empty());
        parts.next().is_none().then_some(WebhookPath { connection, secret, stream })
    }
}

/// The connection of an exchange path: `Some(None)` is "the only one".
pub(super) fn exchange_connection(path: &str) -> Option<Option<&str>> {
    if path == EXCHANGE_SCRIPT {
        return Some(None);
    }
    let rest = path.strip_prefix("/exchange/")?;
    let connection = rest.strip_suffix(EXCHANGE_SCRIPT).unwrap_or(rest).trim_end_matches('/');
    (!connection.is_empty() && !connection.contains('/')).then_some(Some(connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_routes_are_their_places() {
        assert!(Route::ALL.iter().enumerate().all(|(index, it)| *it as usize == index));
    }

    #[test]
    fn paths_find_their_route() {
        for (path, expected) in [
            ("/in/site/s", "webhook"),
            ("/in", "unknown"),
            ("/exchange/1c", "exchange"),
            ("/bitrix/admin/1c_exchange.php", "exchange"),
            ("/oauth/crm", "oauth"),
            ("/oauth", "unknown"),
            ("/relay/v1/entries", "relay"),
            ("/api/clients", "api"),
            ("/apis", "unknown"),
            ("/healthz", "healthz"),
            ("/", "page"),
            ("/page/open/t0ken", "page"),
            ("/page", "unknown"),
        ] {
            assert_eq!(Route::of(path).name(), expected, "{path}");
        }
    }

    #[test]
    fn webhook_paths_are_taken_apart() {
        let parse = |path| WebhookPath::parse(path).map(|it| (it.connection, it.secret, it.stream));
        assert_eq!(parse("/in/site/s3cret"), Some(("site", "s3cret", None)));
        assert_eq!(parse("/in/site/s3cret/"), Some(("site", "s3cret", None)));
        assert_eq!(parse("/in/site/s3cret/lead"), Some(("site", "s3cret", Some("lead"))));
        assert_eq!(parse("/in/site/s3cret/lead/x"), None);
        assert_eq!(parse("/in/site"), None);
    }

    #[test]
    fn exchange_paths_name_their_connection() {
        for (path, expected) in [
            ("/bitrix/admin/1c_exchange.php", Some(None)),
            ("/exchange/ut", Some(Some("ut"))),
            ("/exchange/ut/", Some(Some("ut"))),
            ("/exchange/ut/bitrix/admin/1c_exchange.php", Some(Some("ut"))),
            ("/exchange/", None),
            ("/exchange/ut/other.php", None),
        ] {
            assert_eq!(exchange_connection(path), expected, "{path}");
        }
    }
}
