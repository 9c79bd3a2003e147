//! Names of people and places. The places are made up; so are the postcodes, whose areas (X…)
//! the Royal Mail does not use.

/// Where a family's names come from, and the language that some of its older people prefer.
pub(super) struct Background {
    pub(super) women: &'static [&'static str],
    pub(super) men: &'static [&'static str],
    pub(super) families: &'static [&'static str],
    /// BCP 47 tag and name of a language for which an interpreter is asked.
    pub(super) language: Option<(&'static str, &'static str)>,
}

/// The countries that a sample can live in, each with its towns.
pub(super) struct Country {
    pub(super) towns: &'static [(&'static str, &'static str)],
    pub(super) streets: &'static [&'static str],
    pub(super) background: &'static Background,
}

const ENGLISH: Background = Background {
    women: &[
        "Margaret", "Jean", "Dorothy", "Susan", "Patricia", "Linda", "Karen", "Hannah", "Emily",
        "Sophie", "Grace", "Ruth",
    ],
    men: &[
        "Arthur", "Ronald", "Peter", "Brian", "Stephen", "Mark", "Daniel", "Thomas", "Oliver",
        "George", "Harold", "Keith",
    ],
    families: &[
        "Ashdown",
        "Barrowclough",
        "Cartwright",
        "Dewhurst",
        "Entwistle",
        "Fairweather",
        "Greenhalgh",
        "Hartley",
        "Ingham",
        "Oakley",
        "Pickering",
        "Thistlethwaite",
    ],
    language: None,
};
const WELSH: Background = Background {
    women: &[
        "Gwen", "Eirlys", "Sian", "Bronwen", "Carys", "Nia", "Megan", "Non",
    ],
    men: &[
        "Gwyn", "Emrys", "Dafydd", "Rhys", "Ieuan", "Gethin", "Owain", "Aled",
    ],
    families: &[
        "Pritchard",
        "Llewellyn",
        "Bevan",
        "Gwynne",
        "Morgan",
        "Probert",
        "Parry",
        "Rees",
    ],
    language: Some(("cy", "Welsh")),
};
const SCOTTISH: Background = Background {
    women: &[
        "Morag", "Isla", "Ailsa", "Catriona", "Fiona", "Eilidh", "Mairi", "Kirsty",
    ],
    men: &[
        "Hamish", "Alasdair", "Callum", "Duncan", "Euan", "Fraser", "Iain", "Ruaridh",
    ],
    families: &[
        "MacAskill",
        "Drummond",
        "Lockhart",
        "McKechnie",
        "Farquhar",
        "Geddes",
        "Munro",
    ],
    language: None,
};

/// Backgrounds that are found in all countries.
pub(super) const OTHERS: [Background; 8] = [
    Background {
        women: &["Siobhan", "Bridget", "Aoife", "Niamh", "Maeve"],
        men: &["Declan", "Padraig", "Eamon", "Cormac", "Fergal"],
        families: &["O'Rourke", "Gallagher", "Brennan", "Ní Dhuibhir", "Doherty"],
        language: None,
    },
    Background {
        women: &["Gurpreet", "Harjit", "Manjit", "Simran", "Jasleen"],
        men: &["Balbir", "Harpal", "Jaswinder", "Gurdeep", "Arjan"],
        families: &["Sandhu", "Dhaliwal", "Grewal", "Bains", "Sidhu"],
        language: Some(("pa", "Punjabi")),
    },
    Background {
        women: &["Nasreen", "Farida", "Ayesha", "Rukhsana", "Zainab"],
        men: &["Tariq", "Imran", "Khalid", "Yusuf", "Bilal"],
        families: &["Hussain", "Mahmood", "Chaudhry", "Rahman", "Qureshi"],
        language: Some(("ur", "Urdu")),
    },
    Background {
        women: &["Shirin", "Rehana", "Momtaz", "Tahmina"],
        men: &["Abdul", "Mizanur", "Shafiq", "Kamal"],
        families: &["Miah", "Uddin", "Chowdhury", "Ahmed"],
        language: Some(("bn", "Bengali")),
    },
    Background {
        women: &["Beverley", "Marcia", "Sharon", "Shanice", "Hyacinth"],
        men: &["Winston", "Desmond", "Leroy", "Andre", "Clive"],
        families: &["Campbell", "Bailey", "Francis", "Reid", "Pinnock"],
        language: None,
    },
    Background {
        women: &["Abena", "Folasade", "Ngozi", "Adaeze", "Efua"],
        men: &["Kwame", "Oluwaseun", "Chidi", "Babatunde", "Kofi"],
        families: &["Okonkwo", "Adeyemi", "Mensah", "Boateng", "Nwosu"],
        language: None,
    },
    Background {
        women: &["Agnieszka", "Małgorzata", "Krystyna", "Zofia"],
        men: &["Krzysztof", "Stanisław", "Paweł", "Tomasz"],
        families: &["Nowak", "Wójcik", "Mazur", "Dudek"],
        language: Some(("pl", "Polish")),
    },
    Background {
        women: &["Mei-Ling", "Suk Yee", "Xiu", "Wai Ching"],
        men: &["Kwok Wai", "Jian", "Chi Ming", "Hoi"],
        families: &["Cheung", "Lam", "Zhao", "Tsang"],
        language: Some(("zh", "Chinese")),
    },
];

/// England twice, because most people live there.
pub(super) const COUNTRIES: [Country; 4] = [ENGLAND, ENGLAND, WALES, SCOTLAND];

const ENGLAND: Country = Country {
    towns: &[
        ("Ambleford", "XK4"),
        ("Nether Wickham", "XK7"),
        ("Castlebridge", "XM2"),
        ("Saltmarsh Regis", "XM9"),
    ],
    streets: &[
        "Quillfeather Lane",
        "Old Tannery Road",
        "Peppercorn Street",
        "Lark Rise Close",
        "Cobblewick Avenue",
        "Mill Race View",
        "Rookery Gardens",
    ],
    background: &ENGLISH,
};
const WALES: Country = Country {
    towns: &[("Llanfedwen", "XL3"), ("Abercelyn", "XL8")],
    streets: &[
        "Heol y Felin Wen",
        "Ffordd Celyn",
        "Chapel Row",
        "Bryn Eithin",
    ],
    background: &WELSH,
};
const SCOTLAND: Country = Country {
    towns: &[("Inverbrae", "XS1"), ("Kirkhallow", "XS6")],
    streets: &[
        "Glenfarrow Terrace",
        "Harbour Wynd",
        "Kirkhallow Brae",
        "Rowan Place",
    ],
    background: &SCOTTISH,
};
