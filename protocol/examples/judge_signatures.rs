//! Writes real signed messages for a foreign judge (`.ci/judges/cose_verifies.py`): a JSON list
//! of name, signer's Ed25519 key, external AAD and COSE_Sign1, the last three in hexadecimal.

#[expect(dead_code, reason = "the story tells more than signatures")]
#[path = "../tests/golden/story.rs"]
mod story;

use serde_json::{Value, json};

fn main() {
    let messages = story::Story::tell().messages();
    let list: Vec<Value> = messages
        .into_iter()
        .map(|(name, domain, signer, message)| {
            json!({
                "name": name,
                "signer": signer.to_string(),
                "aad": hex(domain.aad()),
                "message": hex(&message),
            })
        })
        .collect();
    println!("{:#}", Value::from(list));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
