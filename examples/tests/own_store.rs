//! The laws of stores, for the store of the folder `own-store`.

#[path = "../own-store/store.rs"]
mod store;

inresponse_conformance::store_laws!(
    || async { crate::store::OwnStore::default() },
    except: durable, shared, outages, expiry
);
