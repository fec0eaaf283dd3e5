//! What `docs/writing-controllers.md` shows and no example operator needs, so that it is compiled.

use std::time::{Duration, SystemTime};

use clap::Parser;
use futures::stream;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::ResourceExt;
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use operator_runtime::axum::routing::get;
use operator_runtime::{
    Action, BoxError, Context, Error, Manager, ObjectKey, Options, Predicate, RateLimiter, Reconciler,
    Replicas, Result, Scope, Stale, Store, TerminalError,
};

/// The operator's flags: the manager's, and its own.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    manager: Options,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Clone, clap::Args)]
struct Limits {
    /// Longest value of an entry
    #[arg(long, default_value_t = 1000)]
    longest_value: usize,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cli = Cli::parse();
    let mut manager = Manager::new("cookbook.example.com", cli.manager).await?;
    manager.extensions().insert(cli.limits);
    start(&mut manager);
    several_managers().await?;
    manager.run().await
}

struct Cookbook {
    limits: Limits,
    config_maps: Store<ConfigMap>,
    secrets: Store<Secret>,
}

fn start(manager: &mut Manager) {
    let limits = manager.extensions().get::<Limits>().cloned().expect("main hands them over");
    // Only what has the label is listed and watched.
    let secrets: Store<Secret> = manager.store_where(Scope::default().labels("app=cookbook"));
    // Values are not read, so they need not be kept.
    secrets.transform(|secret| secret.data = None);
    let config_maps = manager.owned();

    // A kind that is known at run time only.
    let kind = GroupVersionKind::gvk("cert-manager.io", "v1", "Certificate");
    let certificates = manager.dynamic_store(ApiResource::from_gvk(&kind), Scope::default());

    // Something outside the cluster that says when to look, here a clock.
    let clock = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Some((ObjectKey::new("", "default"), ()))
    });

    manager.check("cookbook", || Ok(()));
    manager.liveness_check("cookbook", || Ok(()));
    manager.route("/debug/version", get(env!("CARGO_PKG_VERSION")));
    manager.runnable("report", Replicas::Leader, |shutdown| async move {
        tokio::select! {
            () = shutdown => Ok(()),
            () = tokio::time::sleep(Duration::from_secs(3600)) => Err("an hour is enough".into()),
        }
    });

    manager
        .controller("cookbook")
        .with_predicate(Predicate::label_changed().or(Predicate::annotation_changed()))
        .owns(&config_maps)
        .watches(&certificates, |certificate: &DynamicObject| {
            certificate.namespace().map(|namespace| ObjectKey::new("", namespace))
        })
        .source(clock)
        .max_concurrent_reconciles(4)
        .rate_limiter(RateLimiter::exponential(Duration::from_millis(200), Duration::from_secs(60)))
        .run(Cookbook { limits, config_maps, secrets });
}

impl Reconciler for Cookbook {
    type Object = Namespace;

    async fn reconcile(&self, namespace: &Namespace, context: &Context<Namespace>) -> Result {
        let name = namespace.name_any();
        if name.len() > self.limits.longest_value {
            return Err(TerminalError::new("the name is too long, and will stay so").into());
        }
        let known = self.secrets.list_in(&name);
        let value = known.first().map(|secret| secret.name_any()).unwrap_or_default();
        if value.starts_with("stale-") {
            return Err(Stale.into());
        }
        let mut desired = ConfigMap::default();
        desired.metadata.name = Some("cookbook".to_owned());
        desired.metadata.namespace = Some(name);
        desired.data = Some([("secret".to_owned(), value)].into());
        // A ConfigMap of that name that nobody controls becomes a child.
        context.adopt(&self.config_maps, desired).await?;
        parse(namespace)?;
        Ok(Action::AwaitChange)
    }
}

/// Any error will do.
fn parse(namespace: &Namespace) -> Result<(), BoxError> {
    let count = namespace.annotations().get("example.com/count").map(|count| count.parse::<u32>());
    count.transpose()?;
    Ok(())
}

/// Two replicas in one process, as a test may want them.
async fn several_managers() -> Result<(), Error> {
    for identity in ["one", "two"] {
        let options = Cli::parse().manager;
        let client = kube::Client::try_default().await.map_err(|error| Error::Setup(error.to_string()))?;
        let stop = tokio::time::sleep(Duration::from_secs(60));
        let manager = Manager::builder("cookbook.example.com", options)
            .client(client)
            .identity(identity)
            .shutdown(stop);
        // As it would be in virtual time, the same in each run.
        let manager = manager.clock(|| SystemTime::UNIX_EPOCH).seed(1);
        manager.build().await?;
    }
    Ok(())
}
