//! Every way from a signature up to a controller.

use kith_crdt::Label;

use super::{Model, Set, Step, View, Way, product};
use crate::{
    id::{DeviceId, EventId, PrincipalId, StaffId},
    logs::{Act, CoreAct, Event, LabelAct, LogId, record::Link},
};

impl Model {
    /// Every way up from something signed.
    pub(super) fn ways_of(&self, event: &Event, past: &Set, view: &View) -> Option<Vec<Way>> {
        let custodian = matches!(event.act, Act::Label(LabelAct::Lapse { .. }));
        let actor = self.ways_of_actor((event.author, event.device, event.staff), past, &[])?;
        let above = match &event.log {
            LogId::Principal(_) | LogId::Core(None) => vec![Vec::new()],
            LogId::Core(Some(_)) => self.ways_as_controller(event.author, view)?,
            LogId::Label(_, label) => {
                match self.ways_acting(
                    event.author,
                    event.device,
                    event.staff,
                    event.grant,
                    label,
                    view,
                ) {
                    Some(ways) => ways,
                    None if custodian && event.grant.is_none() => vec![Vec::new()],
                    None => return None,
                }
            }
        };
        Some(product(&actor, &above))
    }

    pub(super) fn ways_as_controller(&self, who: PrincipalId, view: &View) -> Option<Vec<Way>> {
        let certs = self.controls(who, view);
        let ways = certs.iter().flat_map(|cert| self.ways_to_root(*cert, &[]));
        (!certs.is_empty()).then(|| ways.collect())
    }

    pub(super) fn ways_acting(
        &self,
        who: PrincipalId,
        device: DeviceId,
        staff: Option<StaffId>,
        grant: Option<EventId>,
        label: &Label,
        view: &View,
    ) -> Option<Vec<Way>> {
        let Some(grant) = grant else {
            return self.ways_as_controller(who, view);
        };
        let in_label = matches!(&self.events.get(&grant)?.log, LogId::Label(_, of) if of == label);
        let audience = self.grant(grant)?.audience;
        let renounced = view.set.iter().any(|id| {
            matches!(&self.events[id].act, Act::Label(LabelAct::Renounce { grant: of }) if *of == grant)
                && self.counts(*id, view)
        });
        if !in_label || audience != who || !view.set.contains(&grant) || renounced {
            return None;
        }
        let grants = self.lineage(grant);
        let mut own = vec![Step::Actor(
            Link::Device(device),
            grant,
            Vec::new(),
            grants.clone(),
        )];
        own.extend(staff.map(|staff| Step::Actor(Link::Staff(staff), grant, Vec::new(), grants)));
        Some(product(&[own], &self.ways_up(grant)))
    }

    /// Every way from a grant up to a controller.
    pub(super) fn ways_up(&self, grant: EventId) -> Vec<Way> {
        let lineage = self.lineage(grant);
        let mut ways: Vec<Way> = vec![Vec::new()];
        for (height, link) in lineage.iter().enumerate() {
            let (event, past) = (&self.events[link], &self.pasts[link]);
            let grants = lineage[..=height].to_vec();
            let mut own = vec![Step::Grant(*link, lineage[..height].to_vec())];
            if let Some(parent) = event.grant {
                let actor = |link_| Step::Actor(link_, parent, vec![*link], grants.clone());
                own.push(actor(Link::Device(event.device)));
                own.extend(event.staff.map(|staff| actor(Link::Staff(staff))));
            }
            ways = product(&ways, &[own]);
            let signer = (event.author, event.device, event.staff);
            let actor = self.ways_of_actor(signer, past, &[*link]);
            ways = product(&ways, &actor.unwrap_or_default());
            if event.grant.is_none() {
                let view = self.view(past);
                let certs = self.controls(event.author, &view);
                let roots: Vec<_> = certs
                    .iter()
                    .flat_map(|cert| self.ways_to_root(*cert, &grants))
                    .collect();
                ways = product(&ways, &roots);
            }
        }
        ways
    }

    pub(super) fn ways_to_root(&self, cert: EventId, grants: &[EventId]) -> Vec<Way> {
        let event = &self.events[&cert];
        let own = vec![vec![Step::Root(cert, grants.to_vec())]];
        if matches!(
            event.act,
            Act::Core(CoreAct::Genesis { .. } | CoreAct::Recover { .. })
        ) {
            return own;
        }
        let past = &self.pasts[&cert];
        let signer = (event.author, event.device, event.staff);
        let actor = self
            .ways_of_actor(signer, past, &[cert])
            .unwrap_or_default();
        let view = self.view(past);
        let above: Vec<_> = self
            .controls(event.author, &view)
            .iter()
            .flat_map(|cert| self.ways_to_root(*cert, grants))
            .collect();
        product(&product(&own, &actor), &above)
    }

    /// Every way from a signer up its tree of devices.
    pub(super) fn ways_of_actor(
        &self,
        (who, device, staff): (PrincipalId, DeviceId, Option<StaffId>),
        past: &Set,
        signed: &[EventId],
    ) -> Option<Vec<Way>> {
        let mut ways = Vec::new();
        if device == who.root_key() {
            ways.push(Vec::new());
        }
        for cert in self.certificates(who, Link::Device(device), past) {
            ways.extend(self.ways_from(cert, signed));
        }
        if let Some(staff) = staff {
            let certs = self.certificates(who, Link::Staff(staff), past);
            let staffed: Vec<_> = certs
                .into_iter()
                .flat_map(|cert| self.ways_from(cert, signed))
                .collect();
            ways = product(&ways, &staffed);
        }
        (!ways.is_empty()).then_some(ways)
    }

    pub(super) fn ways_from(&self, cert: EventId, signed: &[EventId]) -> Vec<Way> {
        let own = vec![vec![Step::Certificate(cert, signed.to_vec())]];
        let event = &self.events[&cert];
        let mut signed = signed.to_vec();
        signed.push(cert);
        let signer = (event.author, event.device, None);
        let above = self.ways_of_actor(signer, &self.pasts[&cert], &signed);
        product(&own, &above.unwrap_or_default())
    }

    // B2: effective revocations, from the top downward.
}
