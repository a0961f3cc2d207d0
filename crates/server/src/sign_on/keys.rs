//! A provider's public keys (RFC 7517) and the signatures that they verify (RFC 7515, RFC 7518).
//!
//! RS256, PS256 and ES256 are known: what providers sign with. `none` and signatures by a shared secret are not in the list, and a
//! key verifies signatures of its own kind only, so a token cannot choose how it is looked at.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

/// The most keys that are looked at.
const KEYS: usize = 64;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for; any of its kind if none.
    only: Option<Algorithm>,
    material: Material,
}

/// The keys that a provider signs with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a set of keys. Keys of other kinds or purposes are passed over, as RFC 7517 wants.
    pub(super) fn read(document: &[u8]) -> Result<Self, serde_json::Error> {
        let set: Jwks = serde_json::from_slice(document)?;
        let keys = set.keys.into_iter().take(KEYS).filter_map(|key| serde_json::from_value(key).ok());
        Ok(Self(keys.filter_map(key_of).collect()))
    }

    /// Whether a signature is that of one of the keys. A token without an id of its key may be signed by any of them.
    pub(super) fn verify(&self, algorithm: Algorithm, id: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        self.fitting(algorithm, id).any(|key| match (&key.material, algorithm) {
            (Material::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            (Material::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PSS_2048_8192_SHA256, message, signature).is_ok()
            }
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            _ => false,
        })
    }

    fn fitting<'k>(&'k self, algorithm: Algorithm, id: Option<&'k str>) -> impl Iterator<Item = &'k Key> {
        let is_of_kind = move |key: &&Key| match key.material {
            Material::Rsa { .. } => algorithm != Algorithm::Es256,
            Material::P256(_) => algorithm == Algorithm::Es256,
        };
        let is_named = move |key: &&Key| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
        let is_for = move |key: &&Key| key.only.is_none_or(|only| only == algorithm);
        self.0.iter().filter(is_of_kind).filter(is_named).filter(is_for)
    }
}

fn key_of(key: Jwk) -> Option<Key> {
    if key.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let only = match &key.alg {
        Some(name) => Some(Algorithm::named(name)?),
        None => None,
    };
    let number = |text: Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text?).ok();
    let material = match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", _) => {
            // Some providers write a leading zero, which is none of the number.
            let digits = |bytes: Vec<u8>| bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            Material::Rsa { n: number(key.n).map(digits)?, e: number(key.e).map(digits)? }
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (number(key.x)?, number(key.y)?);
            if (x.len(), y.len()) != (32, 32) {
                return None;
            }
            // The uncompressed form of a point: SEC 1, section 2.3.3.
            Material::P256([&[4][..], &x, &y].concat())
        }
        _ => return None,
    };
    Some(Key { id: key.kid, only, material })
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{RSA_PSS_SHA256, RsaKeyPair, RsaPublicKeyComponents},
    };
    use serde_json::json;

    use super::*;

    /// RFC 7515, appendix A.2: the key, and a signature by RS256.
    const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
    const P: &str = "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
    const Q: &str = "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
    const DP: &str = "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
    const DQ: &str = "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
    const QI: &str = "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";
    const RSA_MESSAGE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    /// RFC 7515, appendix A.3.
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    const EC_MESSAGE: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn keys(keys: &serde_json::Value) -> Keys {
        Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn both() -> Keys {
        keys(
            &json!([{ "kty": "RSA", "n": N, "e": "AQAB", "kid": "r" }, { "kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "e" }]),
        )
    }

    #[test]
    fn the_signatures_of_rfc_7515_are_verified_and_no_others() {
        let verify = |algorithm, id, message: &str, signature: &str| {
            both().verify(algorithm, id, message.as_bytes(), &bytes(signature))
        };
        assert!(verify(Algorithm::Rs256, None, RSA_MESSAGE, RS256));
        assert!(verify(Algorithm::Rs256, Some("r"), RSA_MESSAGE, RS256));
        assert!(verify(Algorithm::Es256, Some("e"), EC_MESSAGE, ES256));
        assert!(!verify(Algorithm::Rs256, Some("e"), RSA_MESSAGE, RS256), "the key of another kind");
        assert!(!verify(Algorithm::Rs256, Some("x"), RSA_MESSAGE, RS256), "no such key");
        assert!(!verify(Algorithm::Ps256, None, RSA_MESSAGE, RS256), "another padding");
        assert!(!verify(Algorithm::Es256, None, RSA_MESSAGE, ES256), "another message");
        assert!(!verify(Algorithm::Es256, None, EC_MESSAGE, ""));
    }

    #[test]
    fn ps256_is_verified() {
        let [n, d, p, q, dp, dq, qi] = [N, D, P, Q, DP, DQ, QI].map(bytes);
        let public_key = RsaPublicKeyComponents { n, e: vec![1, 0, 1] };
        let pair = ring::rsa::KeyPairComponents { public_key, d, p, q, dP: dp, dQ: dq, qInv: qi };
        let pair = RsaKeyPair::from_components(&pair).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), b"message", &mut signature).unwrap();
        assert!(both().verify(Algorithm::Ps256, None, b"message", &signature));
        assert!(!both().verify(Algorithm::Rs256, None, b"message", &signature));
        assert!(!both().verify(Algorithm::Ps256, None, b"another", &signature));
    }

    #[test]
    fn keys_of_other_kinds_and_purposes_verify_nothing() {
        let verify = |key: serde_json::Value| {
            keys(&json!([key])).verify(Algorithm::Rs256, None, RSA_MESSAGE.as_bytes(), &bytes(RS256))
        };
        assert!(verify(json!({ "kty": "RSA", "n": N, "e": "AAEAAQ", "use": "sig", "alg": "RS256" })), "a leading zero");
        assert!(!verify(json!({ "kty": "RSA", "n": N, "e": "AQAB", "use": "enc" })));
        assert!(!verify(json!({ "kty": "RSA", "n": N, "e": "AQAB", "alg": "PS256" })));
        assert!(!verify(json!({ "kty": "RSA", "n": N, "e": "AQAB", "alg": "RS512" })));
        assert!(!verify(json!({ "kty": "oct", "k": N })));
        assert!(!verify(json!({ "kty": "RSA", "n": N })));
        assert!(Keys::read(b"{}").is_err());
    }
}
