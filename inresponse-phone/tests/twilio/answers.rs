//! Replies and keys, through the real router, signed by Twilio's library; and signatures judged as the library does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::Request;
use inresponse_core::memory::MemorySettings;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Channel, Notifiers};
use inresponse_core::plan::Wanted;
use inresponse_phone::{TwilioChannel, TwilioConfig};
use inresponse_testkit::answers::{ChannelHarness, PUBLIC_URL, Proves, Who, check};
use serde_json::json;

use crate::fake::{self, FROM, Fake, SID, TOKEN};
use crate::laws::notifier;
use crate::library::Library;

/// Jo and kim with their phones.
struct Phones {
    fake: Fake,
    signer: Arc<Library>,
    scheme: &'static str,
    /// The number of replies and calls so far: each has an id of its own.
    ids: AtomicU32,
    settings: MemorySettings,
}

impl Phones {
    fn new(scheme: &'static str, signer: &Arc<Library>) -> Self {
        let (fake, signer) = (Fake::start(), Arc::clone(signer));
        Self { fake, signer, scheme, ids: AtomicU32::new(1), settings: MemorySettings::new() }
    }

    fn next_id(&self, kind: &str) -> String {
        format!("{kind}{:032x}", self.ids.fetch_add(1, Ordering::Relaxed))
    }

    fn number(who: Who) -> &'static str {
        match who {
            Who::Jo => "+302101234567",
            Who::Kim => "+306971234567",
        }
    }

    /// A request of Twilio, signed by its library.
    fn request(&self, path: &str, form: &[(&str, &str)]) -> Request<String> {
        let all = [("AccountSid", SID), ("ApiVersion", "2010-04-01")].into_iter().chain(form.iter().copied());
        let form: Vec<_> = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let signature = self.signer.sign(TOKEN, &format!("{PUBLIC_URL}{path}"), &form);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("x-twilio-signature", signature)
            .body(body)
            .unwrap()
    }
}

impl ChannelHarness for Phones {
    type Message = fake::Request;

    fn contact(&self, who: Who) -> Contact {
        Contact::new(format!("{}:{}", self.scheme, Self::number(who))).unwrap()
    }

    fn notifiers(&self, notifiers: Notifiers) -> Notifiers {
        let twilio = notifier(&self.fake);
        twilio.schemes().into_iter().fold(notifiers, |n, scheme| n.with(scheme, twilio.clone()))
    }

    fn channel(&self) -> Arc<dyn Channel> {
        let config = TwilioConfig::new(SID, TOKEN, FROM).unwrap();
        Arc::new(TwilioChannel::new(config, Arc::new(self.settings.clone())))
    }

    fn proves(&self) -> Proves {
        Proves::TheAccount
    }

    fn asks_for(&self) -> &'static [Wanted] {
        match self.scheme {
            "tel" => &[Wanted::Claim, Wanted::Resolve, Wanted::Escalate],
            _ => &[Wanted::Claim, Wanted::Resolve],
        }
    }

    async fn messages(&self, who: Who) -> Vec<fake::Request> {
        self.fake.requests(Self::number(who))
    }

    fn answer(&self, who: Who, message: &fake::Request, wants: Wanted) -> Request<String> {
        let number = Self::number(who);
        if self.scheme == "sms" {
            let letter = match wants {
                Wanted::Claim => 'c',
                Wanted::Resolve => 'r',
                Wanted::Escalate => unreachable!("there is no such reply"),
            };
            // As the message says: “Reply 10001c to claim”.
            let text = message.value("Body");
            let code = text
                .split_whitespace()
                .find(|word| word.ends_with(letter) && word[..1].parse::<u8>().is_ok());
            let id = self.next_id("SM");
            let form = [
                ("From", number),
                ("To", FROM),
                ("Body", code.unwrap()),
                ("MessageSid", &id),
                ("NumMedia", "0"),
            ];
            return self.request("/channels/twilio/sms", &form);
        }
        let digit = match wants {
            Wanted::Claim => "4",
            Wanted::Escalate => "5",
            Wanted::Resolve => "6",
        };
        // Where the document of the call says.
        let twiml = message.value("Twiml");
        let action = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        let path = action.strip_prefix(PUBLIC_URL).unwrap().replace("&amp;", "&");
        let id = self.next_id("CA");
        self.request(&path, &[("To", number), ("From", FROM), ("Digits", digit), ("CallSid", &id)])
    }

    fn forged(&self, mut request: Request<String>) -> Request<String> {
        let body = request.body().replace("AccountSid", "accountSid");
        *request.body_mut() = body;
        request
    }
}

#[tokio::test]
async fn p20_a_reply_counts_only_for_the_person_who_was_asked() {
    let library = Arc::new(Library::start());
    check(async || Phones::new("sms", &library)).await;
}

#[tokio::test]
async fn p20_a_key_counts_only_for_the_person_who_was_called() {
    let library = Arc::new(Library::start());
    check(async || Phones::new("tel", &library)).await;
}

/// Random requests: most are signed well, and the others differ in one place.
#[test]
fn p20_ten_thousand_signatures_are_judged_as_the_library_judges_them() {
    let library = Library::start();
    let mut random = Random(7);
    let mut held = 0;
    for case in 0..10_000 {
        let scheme = random.one(&["https", "http"]);
        let host = random.one(&["ir.example.org", "a.b", "127.0.0.1", "alerts.example.org"]);
        let port = random.one(&["", "", ":8080", ":443", ":80"]);
        let path = random.one(&[
            "/channels/twilio/sms",
            "/x/channels/twilio/voice?delivery=1-1-1-0-a",
            "/?a=%20b&c=é",
            "/a:b",
        ]);
        let url = format!("{scheme}://{host}{port}{path}");
        let names = ["Body", "From", "To", "body", "AccountSid", "Ünï", "Digits", "A", "B"];
        let values = ["", "10001c", "+302101234567", "a b", "&=+%", "🔥é\n", "STOP", "1", "2"];
        let mut params: Vec<(String, String)> = (0..random.below(8))
            .map(|_| (random.one(&names).to_owned(), random.one(&values).to_owned()))
            .collect();
        let signed_url = match random.below(4) {
            0 => format!("{scheme}://{host}{}{path}", random.one(&["", ":443", ":80", ":8080"])),
            _ => url.clone(),
        };
        let mut signature = library.sign(TOKEN, &signed_url, &params);
        match random.below(6) {
            0 => signature = signature.replacen(['A', 'a'], "B", 1),
            1 => params.push((random.one(&names).to_owned(), random.one(&values).to_owned())),
            2 => params.reverse(),
            _ => {}
        }
        let asked =
            json!({ "do": "validate", "token": TOKEN, "url": url, "params": params, "signature": signature });
        let expected = library.ask(&asked)["valid"].as_bool().unwrap();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        let holds = inresponse_phone::fuzzing::signed(TOKEN, &url, &signature, body.as_bytes());
        assert_eq!(holds, expected, "case {case}: {url} {params:?}");
        held += usize::from(holds);
    }
    assert!((3_000..9_900).contains(&held), "{held} held");
}

/// Numbers without a pattern, and the same each time (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}
