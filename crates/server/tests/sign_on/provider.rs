//! A small OpenID provider on the loopback address that can be told to lie.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    digest, hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use url::Url;

pub(crate) const CLIENT: &str = "rapport & friends";
pub(crate) const SECRET: &str = "s3cret: with colon";

/// What the provider says, to be changed by a test.
#[allow(clippy::struct_excessive_bools, reason = "each is a lie or a habit of its own")]
pub(crate) struct Plan {
    /// Laid over the claims of a token; null takes one away.
    pub(crate) claims: Value,
    pub(crate) head: Value,
    /// The names of the keys that are published, and of the one that signs.
    pub(crate) published: Vec<&'static str>,
    pub(crate) signs: &'static str,
    /// Signs by the client's secret, as `HS256` does, or not at all.
    pub(crate) forge: Forge,
    /// What is said of the person besides the token.
    pub(crate) user_info: Value,
    pub(crate) issuer: Option<String>,
    pub(crate) names_itself: bool,
    pub(crate) takes_post: bool,
    pub(crate) is_down: bool,
    /// Takes the question for its documents, and never answers.
    pub(crate) hangs: bool,
    pub(crate) takes_codes_twice: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forge {
    No,
    ByTheSecret,
    Unsigned,
    Altered,
}

struct Inner {
    url: String,
    plan: Mutex<Plan>,
    keys: BTreeMap<&'static str, EcdsaKeyPair>,
    /// Codes with the query that they were given for.
    codes: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    asked_for_itself: AtomicUsize,
    asked_for_keys: AtomicUsize,
    /// How clients showed who they are.
    shown: Mutex<Vec<&'static str>>,
}

/// The provider; it ends with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plan = Plan {
            claims: json!({}),
            head: json!({}),
            published: vec!["k1"],
            signs: "k1",
            forge: Forge::No,
            user_info: json!({}),
            issuer: None,
            names_itself: false,
            takes_post: false,
            is_down: false,
            hangs: false,
            takes_codes_twice: false,
        };
        let key = |name| {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &SystemRandom::new());
            (name, pair.unwrap())
        };
        let inner = Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            plan: Mutex::new(plan),
            keys: ["k1", "k2"].map(key).into(),
            codes: Mutex::default(),
            asked_for_itself: AtomicUsize::new(0),
            asked_for_keys: AtomicUsize::new(0),
            shown: Mutex::default(),
        };
        let provider = Self(Arc::new(inner));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(user_info))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// The host and port, as the setting allow_private wants it.
    pub(crate) fn host(&self) -> &str {
        self.0.url.trim_start_matches("http://")
    }

    pub(crate) fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.0.plan.lock().unwrap());
    }

    pub(crate) fn asked_for_itself(&self) -> usize {
        self.0.asked_for_itself.load(Ordering::SeqCst)
    }

    pub(crate) fn asked_for_keys(&self) -> usize {
        self.0.asked_for_keys.load(Ordering::SeqCst)
    }

    pub(crate) fn shown(&self) -> Vec<&'static str> {
        self.0.shown.lock().unwrap().clone()
    }

    /// The person agrees: a code for what the address asks.
    pub(crate) fn approve(&self, address: &str) -> String {
        let query: BTreeMap<String, String> = Url::parse(address).unwrap().query_pairs().into_owned().collect();
        let code = format!("code-{}", query["state"]);
        self.0.codes.lock().unwrap().insert(code.clone(), query);
        code
    }

    fn signed(&self, nonce: &str) -> String {
        let plan = self.0.plan.lock().unwrap();
        let now = super::now().0 / 1_000;
        let mut claims =
            json!({ "iss": self.0.url, "sub": "ann-1", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce });
        lay_over(&mut claims, &plan.claims);
        let mut head = json!({ "alg": "ES256", "kid": plan.signs });
        lay_over(&mut head, &plan.head);
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&head), encode(&claims));
        let by_key = |message: &str| {
            let signature = self.0.keys[plan.signs].sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        };
        match plan.forge {
            Forge::No => format!("{message}.{}", by_key(&message)),
            Forge::Unsigned => format!("{message}."),
            Forge::ByTheSecret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes())))
            }
            Forge::Altered => {
                let signature = by_key(&message);
                lay_over(&mut claims, &json!({ "sub": "somebody else" }));
                format!("{}.{}.{signature}", encode(&head), encode(&claims))
            }
        }
    }
}

fn lay_over(value: &mut Value, over: &Value) {
    let fields = value.as_object_mut().unwrap();
    for (name, value) in over.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
}

async fn discovery(State(provider): State<Provider>) -> axum::response::Response {
    provider.0.asked_for_itself.fetch_add(1, Ordering::SeqCst);
    let hangs = provider.0.plan.lock().unwrap().hangs;
    if hangs {
        std::future::pending::<()>().await;
    }
    let plan = provider.0.plan.lock().unwrap();
    if plan.is_down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let url = provider.url();
    let methods = if plan.takes_post { json!(["client_secret_post"]) } else { json!(["client_secret_basic"]) };
    Json(json!({
        "issuer": plan.issuer.as_deref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/authorize?tenant=a"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "userinfo_endpoint": format!("{url}/me"),
        "token_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": plan.names_itself,
    }))
    .into_response()
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    provider.0.asked_for_keys.fetch_add(1, Ordering::SeqCst);
    let plan = provider.0.plan.lock().unwrap();
    let key = |name: &&'static str| {
        let point = provider.0.keys[name].public_key().as_ref();
        let part = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
        json!({ "kty": "EC", "crv": "P-256", "kid": name, "use": "sig", "x": part(&point[1..33]), "y": part(&point[33..]) })
    };
    // What is of another kind or purpose is no reason to fail.
    let mut all: Vec<Value> = vec![json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }), json!({ "kid": "k1" })];
    all.extend(plan.published.iter().map(key));
    Json(json!({ "keys": all }))
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
    let takes_post = provider.0.plan.lock().unwrap().takes_post;
    let form_of = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = BASE64_STANDARD.encode(format!("{}:{}", form_of(CLIENT), form_of(SECRET)));
    let by_header = headers.get(header::AUTHORIZATION).is_some_and(|value| *value == format!("Basic {pair}"));
    let by_form = form.get("client_secret").is_some_and(|secret| secret == SECRET);
    provider.0.shown.lock().unwrap().push(if by_form { "post" } else { "basic" });
    if takes_post != by_form || takes_post == by_header {
        return refused("invalid_client");
    }
    let mut codes = provider.0.codes.lock().unwrap();
    let Some(asked) = codes.get(&form["code"]).cloned() else { return refused("invalid_grant") };
    if !provider.0.plan.lock().unwrap().takes_codes_twice {
        codes.remove(&form["code"]);
    }
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, form["code_verifier"].as_bytes()));
    let fits = asked["code_challenge"] == challenge && asked["code_challenge_method"] == "S256";
    if !fits || form["redirect_uri"] != asked["redirect_uri"] || form["grant_type"] != "authorization_code" {
        return refused("invalid_grant");
    }
    let id_token = provider.signed(&asked["nonce"]);
    (StatusCode::OK, Json(json!({ "id_token": id_token, "access_token": "at-1", "token_type": "Bearer" })))
}

async fn user_info(State(provider): State<Provider>, headers: HeaderMap) -> (StatusCode, Json<Value>) {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer at-1") {
        return (StatusCode::UNAUTHORIZED, Json(json!({})));
    }
    let mut told = json!({ "sub": "ann-1" });
    lay_over(&mut told, &provider.0.plan.lock().unwrap().user_info);
    (StatusCode::OK, Json(told))
}
