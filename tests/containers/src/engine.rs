//! The engine: what is made of it in one run, and taken away at its end.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use bytes::Bytes;
use testcontainers::bollard::{
    Docker, body_full,
    errors::Error,
    models::{
        NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest, VolumeCreateRequest,
    },
    query_parameters::{
        KillContainerOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
        ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
        UploadToContainerOptionsBuilder,
    },
};
use testcontainers::{
    ContainerRequest, GenericImage, ImageExt, core::WaitFor, core::client::docker_client_instance,
};
use tokio::{runtime::Handle, task::block_in_place};

/// Names and values.
pub type Labels = HashMap<String, String>;

/// What everything made here is marked with.
const LABEL: &str = "kith.run";

/// The engine of this machine, for one run.
pub struct Engine {
    docker: Docker,
    run: String,
    image: (String, String),
}

impl Engine {
    /// # Panics
    /// When no engine answers, or the image (`KITH_IMAGE`, or `kith:local`) is not there.
    pub async fn found() -> Self {
        let docker = Docker::connect_with_defaults().expect("where the engine is");
        let docker = docker.negotiate_version().await;
        let docker = docker.unwrap_or_else(|error| panic!("no engine answers here: {error}"));
        let name = std::env::var("KITH_IMAGE").unwrap_or_else(|_| "kith:local".to_owned());
        let (image, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
        // An image that is not there would be looked for in a registry.
        if let Err(error) = docker.inspect_image(&name).await {
            panic!("{name} is not here, docs/containers/build makes it: {error}");
        }
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            image: (image.to_owned(), tag.to_owned()),
            run: format!("kith-{random:016x}"),
            docker,
        }
    }

    /// The image under test.
    #[must_use]
    pub fn image(&self) -> String {
        format!("{}:{}", self.image.0, self.image.1)
    }

    /// A name that no other run has.
    #[must_use]
    pub fn named(&self, what: &str) -> String {
        format!("{}-{what}", self.run)
    }

    fn labels(&self) -> Labels {
        HashMap::from([(LABEL.to_owned(), self.run.clone())])
    }

    /// A network without a way out.
    ///
    /// # Panics
    /// When the engine refuses.
    pub async fn network(&self, what: &str) -> String {
        let name = self.named(what);
        let request = NetworkCreateRequest {
            name: name.clone(),
            internal: Some(true),
            labels: Some(self.labels()),
            ..Default::default()
        };
        let made = self.docker.create_network(request).await;
        made.expect("the engine makes a network");
        name
    }

    /// A volume, of whatever kind the engine's own driver is told.
    ///
    /// # Panics
    /// When the engine refuses.
    pub async fn volume(&self, what: &str, kind: &[(&str, &str)]) -> String {
        let name = self.named(what);
        let kind = kind.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            driver_opts: Some(kind.collect()),
            labels: Some(self.labels()),
            ..Default::default()
        };
        let made = self.docker.create_volume(request).await;
        made.expect("the engine makes a volume");
        name
    }

    /// # Panics
    /// When the engine refuses.
    pub async fn connect(&self, network: &str, container: &str) {
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            ..Default::default()
        };
        let done = self.docker.connect_network(network, request).await;
        done.unwrap_or_else(|error| panic!("{container} to {network}: {error}"));
    }

    /// # Panics
    /// When the engine refuses.
    pub async fn disconnect(&self, network: &str, container: &str) {
        let request = NetworkDisconnectRequest {
            container: container.to_owned(),
            force: Some(true),
        };
        let done = self.docker.disconnect_network(network, request).await;
        done.unwrap_or_else(|error| panic!("{container} from {network}: {error}"));
    }

    /// The networks that a container is on.
    ///
    /// # Panics
    /// When the engine does not say.
    pub async fn networks_of(&self, container: &str) -> Vec<String> {
        let seen = self.docker.inspect_container(container, None).await;
        let settings = seen.expect("the container is there").network_settings;
        let networks = settings.and_then(|settings| settings.networks);
        networks.unwrap_or_default().into_keys().collect()
    }

    /// Ends a container as a power cut would.
    ///
    /// # Panics
    /// When the engine refuses.
    pub async fn kill(&self, container: &str) {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let done = self.docker.kill_container(container, Some(options)).await;
        done.expect("the container runs");
    }

    /// Puts a file into a folder of a container.
    ///
    /// # Errors
    /// What the engine says, such as that there is no room.
    ///
    /// # Panics
    /// When the file does not go into an archive.
    pub async fn put(
        &self,
        container: &str,
        folder: &str,
        file: &str,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let mut archive = tar::Builder::new(Vec::new());
        archive
            .append_data(&mut header, file, bytes)
            .expect("an archive in memory");
        let archive = archive.into_inner().expect("an archive in memory");
        let options = UploadToContainerOptionsBuilder::new().path(folder).build();
        let body = body_full(Bytes::from(archive));
        self.docker
            .upload_to_container(container, Some(options), body)
            .await
    }

    /// A container of the image under test, as the compose example hardens it.
    pub fn container(&self, what: &str, network: Option<&str>) -> ContainerRequest<GenericImage> {
        let network = network.unwrap_or("none").to_owned();
        GenericImage::new(self.image.0.as_str(), self.image.1.as_str())
            .with_wait_for(WaitFor::Nothing)
            .with_container_name(self.named(what))
            .with_labels(self.labels())
            .with_readonly_rootfs(true)
            .with_cap_drop("ALL")
            .with_security_opt("no-new-privileges")
            .with_host_config_modifier(move |config| {
                speak_its_version();
                config.network_mode = Some(network.clone());
            })
    }

    /// Takes away all that carries this run's name.
    async fn sweep(&self) -> Result<(), Error> {
        let ours = HashMap::from([("label".to_owned(), vec![format!("{LABEL}={}", self.run)])]);
        let list = ListContainersOptionsBuilder::new().all(true).filters(&ours);
        for container in self.docker.list_containers(Some(list.build())).await? {
            let remove = RemoveContainerOptionsBuilder::new().force(true).v(true);
            let id = container.id.unwrap_or_default();
            self.docker
                .remove_container(&id, Some(remove.build()))
                .await?;
        }
        let list = ListNetworksOptionsBuilder::new().filters(&ours).build();
        for network in self.docker.list_networks(Some(list)).await? {
            let id = network.id.unwrap_or_default();
            self.docker.remove_network(&id).await?;
        }
        let list = ListVolumesOptionsBuilder::new().filters(&ours).build();
        let volumes = self.docker.list_volumes(Some(list)).await?.volumes;
        for volume in volumes.unwrap_or_default() {
            let remove = RemoveVolumeOptionsBuilder::new().force(true).build();
            self.docker
                .remove_volume(&volume.name, Some(remove))
                .await?;
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let swept = block_in_place(|| Handle::current().block_on(self.sweep()));
        if let Err(error) = swept {
            eprintln!(
                "something of {LABEL}={} is still on this machine: {error}",
                self.run
            );
        }
    }
}

/// testcontainers addresses the engine by the newest version of its interface, which an older
/// engine refuses, and cannot be told another. It has one client at a time, which it lends, and
/// asks for a container's settings before it says anything to the engine: there the client is told
/// which version this engine speaks. So it must not be given a network of its own to look for.
fn speak_its_version() {
    let agreed = block_in_place(|| {
        Handle::current().block_on(async {
            let docker = docker_client_instance().await?;
            let docker = docker.negotiate_version().await;
            docker.map_err(testcontainers::core::client::ClientError::Init)
        })
    });
    agreed.expect("the engine says which version it speaks");
}
