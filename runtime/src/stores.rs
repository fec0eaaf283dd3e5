//! The stores of one process, and the watches that fill them.

use std::any::Any;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, join_all};
use tokio::task::JoinSet;

use crate::informer::{self, inform};
use crate::object::{Object, is_cluster_scoped};
use crate::scope::Scope;
use crate::store::Store;

/// Resolves when the first lists of some stores are complete.
pub(crate) type Synced = Shared<BoxFuture<'static, ()>>;

/// All that somebody has asked for, one for each kind and scope.
#[derive(Default)]
pub(crate) struct Stores(Vec<Registered>);

struct Registered {
    path: String,
    scope: Scope,
    store: Box<dyn Any + Send + Sync>,
    synced: Synced,
    inform: Option<Inform>,
}

/// Makes the watches of a store, in namespaces or, for `None`, everywhere.
type Inform =
    Box<dyn FnOnce(&Arc<informer::Shared>, &[Option<String>]) -> Vec<BoxFuture<'static, ()>> + Send>;

impl Stores {
    /// The store of the objects of a type that are in `scope`.
    pub(crate) fn get<K: Object>(&mut self, dynamic_type: K::DynamicType, scope: Scope) -> Store<K> {
        let path = K::url_path(&dynamic_type, None);
        for known in &self.0 {
            if known.path == path
                && known.scope == scope
                && let Some(store) = known.store.downcast_ref::<Store<K>>()
            {
                return store.clone();
            }
        }
        let is_namespaced = !is_cluster_scoped::<K>() && !scope.is_cluster;
        let store = Store::<K>::new(dynamic_type, is_namespaced);
        if scope.is_selective() {
            store.leaves_out();
        }
        let (filled, within) = (store.clone(), scope.clone());
        let inform = move |shared: &Arc<informer::Shared>, namespaces: &[Option<String>]| {
            let given = within.namespaces.as_ref().map(|names| names.iter().cloned().map(Some).collect());
            let places = match given {
                _ if !is_namespaced => vec![None],
                Some(given) => given,
                None => namespaces.to_vec(),
            };
            let watch = |place| inform(shared.clone(), filled.clone(), within.clone(), place).boxed();
            places.into_iter().map(watch).collect()
        };
        let listed = store.clone();
        self.0.push(Registered {
            path,
            scope,
            store: Box::new(store.clone()),
            synced: async move { listed.synced().await }.boxed().shared(),
            inform: Some(Box::new(inform)),
        });
        store
    }

    /// Resolves when all are filled: which of them a reconciler reads nobody knows. Where a list is forbidden, or there is no
    /// such kind, none is waited for.
    pub(crate) fn synced(&self) -> Synced {
        join_all(self.0.iter().map(|registered| registered.synced.clone())).map(drop).boxed().shared()
    }

    /// The watches that fill them. There are none the second time.
    pub(crate) fn informers(
        &mut self,
        shared: &Arc<informer::Shared>,
        namespaces: &[Option<String>],
    ) -> JoinSet<()> {
        let inform = self.0.iter_mut().filter_map(|registered| registered.inform.take());
        inform.flat_map(|inform| inform(shared, namespaces)).collect()
    }
}
