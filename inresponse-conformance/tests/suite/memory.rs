//! The adapters in memory that come with the core.

mod store {
    use inresponse_core::memory::MemoryStore;

    inresponse_conformance::store_laws!(|| async { MemoryStore::new() }, except: durable, shared, outages, expiry);
}

mod roster {
    use inresponse_core::memory::MemoryRoster;

    inresponse_conformance::roster_laws!(|| async { MemoryRoster::new() }, except: durable, shared, outages);
}

mod settings {
    use inresponse_core::memory::MemorySettings;

    inresponse_conformance::settings_laws!(|| async { MemorySettings::new() }, except: durable, shared, outages);
}

mod notifier {
    use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
    use inresponse_core::model::Contact;
    use inresponse_core::testing::RecordingNotifier;

    /// What was recorded is what arrived; nobody can be made to refuse.
    struct Recorder(RecordingNotifier);

    impl NotifierHarness for Recorder {
        type Notifier = RecordingNotifier;

        async fn notifier(&self) -> RecordingNotifier {
            self.0.clone()
        }

        fn contact(&self, n: usize) -> Contact {
            Contact::new(format!("recipient.{n}@conformance.example")).unwrap()
        }

        async fn behave(&self, _: &Contact, behaviour: Behaviour) {
            assert_eq!(behaviour, Behaviour::Accept);
        }

        async fn attempts(&self, contact: &Contact) -> usize {
            self.arrived(contact).await.len()
        }

        async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
            let attempts = self.0.attempts();
            let to_contact = attempts.iter().filter(|recorded| recorded.contact == *contact);
            to_contact
                .map(|recorded| Arrival {
                    delivery_id: recorded.delivery.to_string(),
                    text: format!("{} {:?}", recorded.incident, recorded.claim_url),
                })
                .collect()
        }
    }

    inresponse_conformance::notifier_laws!(
        Recorder(RecordingNotifier::new()),
        except: reject, refuse_sender, busy, throttle, unreachable, hang, take_and_hang, take_and_close
    );
}
