//! Faults one after the other and together. After each everyone has the same, and all of it.

use std::collections::BTreeSet;

use futures::future::join_all;
use kith_containers::{Provider, Ran, Town, never};

#[tokio::test(flavor = "multi_thread")]
async fn five_providers_agree_after_every_fault_and_lose_nothing() {
    let town = Town::founded().await;
    the_practice_is_the_only_bridge(&town).await;
    one_is_cut_off(&town).await;
    everyone_is_cut_off(&town).await;
    one_stands_still(&town).await;
    power_fails(&town).await;
    one_is_stopped_and_started(&town).await;
    a_disk_is_full(&town).await;
    all_are_restarted_in_turn(&town).await;
    everything_at_once(&town).await;
    town.is_sound().await;
}

async fn the_practice_is_the_only_bridge(town: &Town) {
    let on = join_all(
        town.invited()
            .map(|provider| town.engine.networks_of(provider.id())),
    )
    .await;
    assert!(on.iter().all(|networks| networks.len() == 1), "{on:?}");
    let different: BTreeSet<_> = on.iter().flatten().collect();
    assert_eq!(different.len(), on.len(), "two share a network");
    let bridge = town.engine.networks_of(town.practice.id()).await;
    assert!(different.iter().all(|network| bridge.contains(network)));

    town.practice.freezes().await;
    assert!(town.writes(&town.hospital).await.is_acknowledged());
    let note = town.last_told();
    never("a note passes by the practice", async || {
        let others = [&town.ambulance, &town.care_home, &town.laptop];
        let shown = join_all(others.map(|other| town.shown_by(other))).await;
        shown.iter().any(|shown| shown.to_string().contains(&note))
    })
    .await;
    town.practice.thaws().await;
    town.agrees("the only bridge was closed").await;
}

async fn cut_off(town: &Town, provider: &Provider) {
    let network = town.network_of(provider);
    town.engine.disconnect(&network, provider.id()).await;
}

async fn back(town: &Town, provider: &Provider) {
    let network = town.network_of(provider);
    town.engine.connect(&network, provider.id()).await;
}

async fn one_is_cut_off(town: &Town) {
    town.while_everyone_writes(async {
        cut_off(town, &town.hospital).await;
        town.everyone_has_written().await;
        back(town, &town.hospital).await;
    })
    .await;
    town.agrees("the hospital was cut off").await;
}

async fn everyone_is_cut_off(town: &Town) {
    town.while_everyone_writes(async {
        for provider in town.invited() {
            let network = town.network_of(provider);
            town.engine.disconnect(&network, town.practice.id()).await;
        }
        town.everyone_has_written().await;
        for provider in town.invited() {
            let network = town.network_of(provider);
            town.engine.connect(&network, town.practice.id()).await;
        }
    })
    .await;
    town.agrees("the practice was on no network").await;
}

async fn one_stands_still(town: &Town) {
    town.while_everyone_writes(async {
        town.ambulance.freezes().await;
        town.everyone_has_written().await;
        town.ambulance.thaws().await;
        town.everyone_has_written().await;
    })
    .await;
    town.agrees("the ambulance stood still").await;
}

async fn power_fails(town: &Town) {
    town.while_everyone_writes(async {
        for provider in [&town.laptop, &town.practice, &town.care_home] {
            town.everyone_has_written().await;
            provider.loses_power(&town.engine).await;
            town.everyone_has_written().await;
            provider.starts().await;
        }
    })
    .await;
    town.agrees("the laptop, the practice and the care home lost power in turn")
        .await;
}

async fn one_is_stopped_and_started(town: &Town) {
    town.while_everyone_writes(async {
        town.hospital.stops().await;
        town.everyone_has_written().await;
        town.hospital.starts().await;
    })
    .await;
    town.agrees("the hospital was stopped and started").await;
}

async fn a_disk_is_full(town: &Town) {
    let files = town.fill_the_small_disk().await;
    is_refused_for_want_of_room(&town.refused_at_the_care_home().await);

    // More comes in than the disk could take: the node goes on, and takes it when it can.
    for provider in [&town.practice, &town.hospital, &town.laptop] {
        for _ in 0..3 {
            assert!(town.writes(provider).await.is_acknowledged());
        }
    }
    is_refused_for_want_of_room(&town.refused_at_the_care_home().await);
    let problems = town.care_home.json(&["status"]).await["problems"].to_string();
    assert!(problems.contains("disk is full"), "{problems}");

    town.empty_the_small_disk(files).await;
    assert!(town.writes(&town.care_home).await.is_acknowledged());
    town.agrees("the care home's disk was full").await;
}

fn is_refused_for_want_of_room(refused: &Ran) {
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(refused.err.contains("disk is full"), "{refused:?}");
    assert!(refused.err.contains("Make room"), "{refused:?}");
}

async fn all_are_restarted_in_turn(town: &Town) {
    town.while_everyone_writes(async {
        for provider in town.everyone() {
            provider.stops().await;
            provider.starts().await;
            town.everyone_has_written().await;
        }
    })
    .await;
    town.agrees("all were restarted in turn").await;
}

/// One is cut off, one stands still, two lose power, one of them the bridge.
async fn everything_at_once(town: &Town) {
    town.while_everyone_writes(async {
        cut_off(town, &town.hospital).await;
        town.ambulance.freezes().await;
        town.practice.loses_power(&town.engine).await;
        town.laptop.loses_power(&town.engine).await;
        town.everyone_has_written().await;
        town.laptop.starts().await;
        town.ambulance.thaws().await;
        town.everyone_has_written().await;
        town.practice.starts().await;
        back(town, &town.hospital).await;
        town.everyone_has_written().await;
    })
    .await;
    town.agrees("everything at once").await;
}
