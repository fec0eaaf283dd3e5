//! Which kind `create api` is about.

use super::Context;
use crate::Problem;
use crate::cli::CreateApiArgs;
use crate::project::Project;
use crate::resource::{Resource, core, plural, validate};

/// The kind that the arguments name, as a resource with the controller they ask for. What is wrong with them goes to
/// `problems`; the result means nothing when there are any.
pub(super) fn resolve(
    context: &Context,
    project: &Project,
    args: &CreateApiArgs,
    problems: &mut Vec<Problem>,
) -> Resource {
    let group = context.require(args.group.clone(), "--group", "app", problems);
    let version = context.require(args.version.clone(), "--version", "v1alpha1", problems);
    let kind = context.require(args.kind.clone(), "--kind", "Widget", problems);
    let given = |value: &Option<String>, check: fn(&str) -> Option<Problem>| value.as_deref().and_then(check);
    for (value, asked, check) in [
        (&args.group, &group, validate::group as fn(&str) -> Option<Problem>),
        (&args.version, &version, validate::version),
        (&args.kind, &kind, validate::kind),
    ] {
        // A flag that is missing has been reported.
        if value.is_some() || !asked.is_empty() {
            problems.extend(check(asked));
        }
    }
    problems.extend(given(&args.plural, validate::plural));
    problems.extend(given(&args.controller_name, validate::controller_name));
    problems.extend(given(&args.external_api_domain, validate::external_domain));
    let mut resource = Resource {
        plural: args.plural.clone().unwrap_or_else(|| plural::plural(&kind)),
        domain: project.domain.clone(),
        namespaced: args.namespaced.unwrap_or(true),
        core: false,
        external: false,
        storage: false,
        has_api: args.resource,
        controllers: Vec::new(),
        group,
        version,
        kind,
    };
    if !problems.is_empty() {
        return resource;
    }
    if args.resource {
        own(project, args, &mut resource, problems);
    } else {
        foreign(project, args, &mut resource, problems);
    }
    if args.controller {
        // A second version of a kind shares the controller of the first.
        let has_one = project.versions(&resource).any(|version| !version.controllers.is_empty());
        match &args.controller_name {
            Some(name) => resource.controllers.push(name.clone()),
            None if has_one => {}
            None => resource.controllers.push(project.controller_name(&resource)),
        }
    } else if args.controller_name.is_some() {
        let problem =
            Problem::new("`--controller-name` names a controller that `--controller=false` leaves out");
        problems.push(problem.hint("give one of the two"));
    }
    problems.extend(validate::combined(&resource, project.multigroup));
    resource
}

/// A kind whose types are the project's.
fn own(project: &Project, args: &CreateApiArgs, resource: &mut Resource, problems: &mut Vec<Problem>) {
    if args.external_api_domain.is_some() {
        let problem = Problem::new("`--external-api-domain` is for kinds that another project defines");
        problems.push(problem.hint("add `--resource=false`, or leave it out"));
    }
    if let Some(short) = resource.group.strip_suffix(&format!(".{}", project.domain)) {
        let problem = Problem::new(format!("the group would be `{}`", resource.qualified_group()));
        problems.push(problem.hint(format!("the domain is added to it: say `--group {short}`")));
    }
    // Another version of a kind is of the same scope and plural unless the user says otherwise, which is refused later.
    let known = project.versions(resource).next().cloned();
    if let Some(known) = known {
        resource.namespaced = args.namespaced.unwrap_or(known.namespaced);
        resource.plural = args.plural.clone().unwrap_or(known.plural);
    }
}

/// A kind whose types come from elsewhere: from an earlier command, from Kubernetes, or from another project.
fn foreign(project: &Project, args: &CreateApiArgs, resource: &mut Resource, problems: &mut Vec<Problem>) {
    if !args.controller {
        let problem =
            Problem::new("`--resource=false` and `--controller=false` together leave nothing to generate");
        problems.push(problem.hint("leave out one of them"));
        return;
    }
    if let Some(domain) = &args.external_api_domain {
        if let Some(rest) = domain.strip_prefix(&format!("{}.", resource.group)) {
            let message = format!("the group would be `{}.{domain}`", resource.group);
            problems.push(Problem::new(message).hint(format!("say `--external-api-domain {rest}`")));
            return;
        }
        resource.domain.clone_from(domain);
        resource.external = true;
        if let Some(known) = project.find(resource) {
            resource.external = known.external;
            resource.has_api = known.has_api;
        }
        return;
    }
    if let Some(known) = project.find(resource) {
        let controllers = std::mem::take(&mut resource.controllers);
        *resource = Resource { controllers, ..known.clone() };
        return;
    }
    let (group, version, kind) = (&resource.group, &resource.version, &resource.kind);
    if let Some(found) = core::lookup(group, version, kind) {
        let (group, domain) = found.group.split_once('.').unwrap_or((found.group, ""));
        resource.group = String::from(if group.is_empty() { "core" } else { group });
        resource.domain = String::from(domain);
        resource.plural = String::from(found.plural);
        resource.namespaced = found.namespaced;
        resource.core = true;
        return;
    }
    let nearest = core::nearest(group, version, kind);
    let message = format!(
        "neither this project nor Kubernetes has a kind `{kind}` in version `{version}` of `{group}`"
    );
    let mut problem = Problem::new(message);
    if let Some(nearest) = nearest.first() {
        problem = problem.hint(format!("did you mean `{nearest}`?"));
    }
    problems.push(problem.hint("for a kind of another project say `--external-api-domain DOMAIN`"));
}
