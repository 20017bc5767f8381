"""Invented people, companies and places."""

# Names by where somebody grew up: a contact's first and last name come from one row.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nordic": (
        (
            "Hanne", "Erik", "Sofie", "Lars", "Astrid", "Nils", "Clara", "Mikkel", "Ingrid", "Aksel", "Frida",
            "Henning",
            "Liv", "Oskar", "Signe", "Torbjørn", "Maja", "Jesper", "Tuva", "Emil", "Karin", "Sindre",
        ),
        (
            "Vik", "Sandahl", "Brandt", "Mikkelsen", "Aaberg", "Winther", "Lindqvist", "Haugen", "Østby", "Ek", "Falk",
            "Nyman", "Rasmussen", "Holt", "Bergström", "Kvam", "Lund", "Söder", "Thorsen", "Dahlin", "Moe", "Ask",
        ),
    ),
    "german": (
        (
            "Gregor", "Helena", "Matthias", "Katrin", "Jannik", "Silke", "Uwe", "Annika", "Felix", "Birgit", "Ruben",
            "Lotte", "Pieter", "Saskia", "Bram", "Marlene", "Holger", "Femke",
        ),
        (
            "Stahl", "Voss", "Brunner", "Kessler", "Ackermann", "Wirth", "Hofmeister", "de Graaf", "van Dorp", "Lenz",
            "Overbeck", "Rieger", "Sommerfeld", "Tillmann", "Maas", "Hellwig", "Kranz", "Zumthor",
        ),
    ),
    "romance": (
        (
            "Ines", "Rafael", "Beatriz", "Lucien", "Chiara", "Mateo", "Élodie", "Davide", "Amélie", "Joaquim", "Paloma",
            "Renzo", "Solène", "Tiago", "Vera", "Bastien", "Noemi", "Álvaro",
        ),
        (
            "Marchetti", "Quiroga", "Almeida", "Serrat", "Fontaine", "Belluno", "Carvalho", "Moreau", "Vidal",
            "Rinaldi",
            "Lacombe", "Ferraz", "Ortuño", "Galli", "Desrosiers", "Pardo", "Nogueira", "Tessier",
        ),
    ),
    "slavic": (
        (
            "Tomasz", "Petra", "Marek", "Zuzana", "Bartosz", "Ivana", "Ondřej", "Kinga", "Miloš", "Agnieszka", "Dušan",
            "Jana", "Radek", "Oksana",
        ),
        (
            "Wrona", "Novotná", "Kowal", "Hájek", "Zieliński", "Petrović", "Sedlák", "Wójcik", "Marković", "Dvořák",
            "Jelen", "Bielak", "Koval", "Horvat",
        ),
    ),
    "british": (
        (
            "Ansel", "Owen", "Clementine", "Rhys", "Imogen", "Callum", "Harriet", "Declan", "Freya", "Angus", "Nell",
            "Rory", "Tamsin", "Fergus", "Maeve", "Toby",
        ),
        (
            "Whitaker", "Pritchard", "Ashdown", "Merrick", "Lockhart", "Fairweather", "Dunmore", "Penrose", "Hartigan",
            "Selby", "Thackeray", "Kinsella", "Braithwaite", "Munro", "Oakes", "Wainwright",
        ),
    ),
    "wider": (
        (
            "Farida", "Daniel", "Mei-Ling", "Amara", "Yusuf", "Idris", "Noor", "Kenji", "Leila", "Arjun", "Zainab",
            "Tariq",
            "Anjali", "Kwame", "Hana", "Samir", "Thandi", "Rohan", "Sakura", "Emeka",
        ),
        (
            "Nazari", "Oyelaran", "Chou", "Diallo", "Demir", "Bello", "Haddad", "Nakano", "Rahimi", "Menon", "Okonkwo",
            "Aziz", "Iyer", "Mensah", "Tanaka", "Benali", "Dlamini", "Kapoor", "Fukuda", "Adeyemi",
        ),
    ),
}  # fmt: skip

# What a company is called after; each is used once.
STEMS: tuple[str, ...] = (
    "Halden", "Telgrove", "Brenner", "Nordhavn", "Vantage", "Sundby", "Pampa", "Oku", "Kestrel", "Marisol", "Dalby",
    "Rivoli", "Castellan", "Lumen", "Ostara", "Ferrum", "Banyan", "Quill", "Corvus", "Alder", "Brisa", "Calder",
    "Dovrefjell", "Elmstead", "Fennel", "Garrow", "Hestia", "Isbre", "Juniper", "Kolbe", "Larkspur", "Mistral",
    "Nimbus", "Orrin", "Peregrine", "Quarzo", "Rosendal", "Saltholm", "Tarn", "Umbra", "Valdis", "Wexley", "Xanthe",
    "Ystad", "Zephyr", "Arken", "Bjorka", "Cinder", "Dunlin", "Estuary", "Foxglove", "Gantry", "Hollin", "Inverlea",
    "Jotun", "Kelpie", "Lodestar", "Marram", "Norrland", "Osprey", "Pinnacle", "Ravel", "Skerry", "Thistle", "Ulven",
    "Verdane", "Westray", "Yarrow", "Ambit", "Bracken", "Cobalt", "Drift", "Ember", "Fathom", "Gable", "Heron",
    "Indigo",
    "Jetty", "Kiln", "Lattice", "Meridian", "Nacre", "Obelisk", "Plover", "Quayside", "Rudder", "Sable", "Tundra",
    "Upland", "Viola", "Wharf", "Aster", "Beacon", "Copperfield", "Delta Nine", "Eider", "Fjall", "Granite", "Hazel",
    "Ironbridge", "Kite", "Lindgren", "Moorland", "Nettle", "Oxbow", "Pollen", "Rowan", "Sandpiper", "Teasel", "Verge",
    "Willow", "Anvil", "Barrow", "Cypress", "Dapple", "Evenlode", "Furrow", "Gorse", "Harrier", "Islay", "Kingsway",
    "Linden", "Magpie", "Northgate", "Orchard", "Parallel", "Ridgeway", "Spindle", "Trellis", "Vesper", "Wicker",
    "Amaranth", "Birchwood", "Cascade", "Dynamo", "Fulcrum", "Glacier", "Hydra", "Kepler", "Monsoon", "Novara", "Orbit",
    "Prism", "Quantock", "Relay", "Summit", "Tidal", "Vector", "Wayfare", "Argon", "Basalt", "Carnival", "Dogwood",
    "Ebony", "Falcon", "Grove", "Hawthorn", "Ivory", "Jasper", "Kernel Mill", "Lagoon", "Maple", "Nova Terra", "Onyx",
)  # fmt: skip

# Industry, and what companies in it add to their name.
INDUSTRIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Logistics", ("Logistics", "Freight", "Forwarding", "Air Cargo", "Warehousing")),
    ("Food and beverage", ("Foods", "Dairy", "Beverages", "Bakeries", "Grain")),
    ("Manufacturing", ("Steel", "Tools", "Castings", "Machine Works", "Components")),
    ("Retail", ("Retail", "Stores", "Outfitters", "Home", "Market")),
    ("Healthcare", ("Health", "Pharma", "Clinics", "Diagnostics", "Medical")),
    ("Energy", ("Energy", "Grid", "Hydro", "Wind", "Power")),
    ("Automotive", ("Auto", "Motors", "Mobility", "Coachworks")),
    ("Ports and shipping", ("Ports", "Shipping", "Terminals", "Marine")),
    ("Textiles and cosmetics", ("Textiles", "Cosmetics", "Apparel", "Weaving")),
    ("Publishing and print", ("Publishing", "Print", "Packaging", "Paper")),
)  # fmt: skip

# City, region, country, postal code, telephone prefix, whose names are usual there.
PLACES: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("Oslo", "Oslo", "Norway", "0250", "+4722", "nordic"),
    ("Bergen", "Vestland", "Norway", "5003", "+4755", "nordic"),
    ("Gothenburg", "Västra Götaland", "Sweden", "411 08", "+4631", "nordic"),
    ("Aarhus", "Midtjylland", "Denmark", "8000", "+4586", "nordic"),
    ("Malmö", "Skåne", "Sweden", "211 20", "+4640", "nordic"),
    ("Hamburg", "Hamburg", "Germany", "20457", "+4940", "german"),
    ("Leipzig", "Saxony", "Germany", "04109", "+49341", "german"),
    ("Rotterdam", "South Holland", "Netherlands", "3011 AA", "+3110", "german"),
    ("Basel", "Basel-Stadt", "Switzerland", "4051", "+4161", "german"),
    ("Turin", "Piedmont", "Italy", "10121", "+39011", "romance"),
    ("Lyon", "Auvergne-Rhône-Alpes", "France", "69002", "+3347", "romance"),
    ("Porto", "Norte", "Portugal", "4000-001", "+35122", "romance"),
    ("Valencia", "Valencia", "Spain", "46002", "+3496", "romance"),
    ("Gdańsk", "Pomerania", "Poland", "80-001", "+4858", "slavic"),
    ("Brno", "South Moravia", "Czechia", "602 00", "+42054", "slavic"),
    ("Bristol", "England", "United Kingdom", "BS1 4ST", "+44117", "british"),
    ("Leeds", "England", "United Kingdom", "LS1 5AB", "+44113", "british"),
    ("Glasgow", "Scotland", "United Kingdom", "G1 1XQ", "+44141", "british"),
    ("Cork", "Munster", "Ireland", "T12 AB34", "+35321", "british"),
    ("Portland", "Oregon", "United States", "97205", "+1503", "wider"),
    ("Pittsburgh", "Pennsylvania", "United States", "15222", "+1412", "wider"),
)  # fmt: skip

STREETS: tuple[str, ...] = (
    "Harbour Street", "Mill Lane", "Foundry Road", "Station Square", "Quay", "Old Market", "Weavers Row",
    "Tannery Yard",
    "Lighthouse Way", "Canal Side", "Orchard Road", "Bridge Street", "Depot Road", "Granary Court",
)  # fmt: skip

# Job title, department, whether its holder signs.
TITLES: tuple[tuple[str, str, bool], ...] = (
    ("VP Operations", "Operations", True),
    ("Chief Operating Officer", "Operations", True),
    ("Head of Fulfilment", "Logistics", True),
    ("Plant Director", "Production", True),
    ("Chief Engineer", "Engineering", True),
    ("Supply Chain Manager", "Logistics", False),
    ("Warehouse Manager", "Logistics", False),
    ("Procurement Manager", "Procurement", False),
    ("Automation Lead", "Engineering", False),
    ("Production Planner", "Production", False),
    ("Maintenance Supervisor", "Production", False),
    ("Finance Controller", "Finance", False),
    ("IT Architect", "IT", False),
    ("Shift Lead", "Operations", False),
    ("Health and Safety Officer", "Operations", False),
    ("Site Manager", "Operations", False),
    ("Purchasing Assistant", "Procurement", False),
    ("Accounts Payable Clerk", "Finance", False),
)  # fmt: skip

# What is sold, and roughly for how much, in thousands.
PROJECTS: tuple[tuple[str, int], ...] = (
    ("Fleet telematics rollout", 140), ("Cold-store picking pilot", 35), ("Returns line automation", 60),
    ("Pallet shuttle upgrade", 22), ("Plant maintenance suite", 120), ("Night-shift AMR fleet", 90),
    ("Spare parts kiosk", 28), ("Vaccine cold-chain robots", 210), ("Bottling end-of-line cell", 65),
    ("Omnichannel micro-hubs", 190), ("Yard crane retrofit", 300), ("Sorter lease", 75),
    ("Showroom stock robots", 40), ("Silo inspection drones", 95), ("Body shop AGV loop", 260),
    ("Print hall logistics", 30), ("Substation drone patrol", 125), ("Hospital linen robots", 88),
    ("Battery swap service", 38), ("Dock door sensors", 18), ("Palletising cell", 150), ("Goods-to-person pilot", 110),
    ("Inventory drones", 55), ("Packing station refit", 45), ("Conveyor health monitoring", 24), ("Tugger train", 70),
    ("Clean room transporter", 135), ("Container lashing robots", 280), ("Bin picking arm", 82),
    ("Label inspection", 16),
    ("Support contract", 12), ("Operator training", 9),
)  # fmt: skip

SITES: tuple[str, ...] = (
    "", "", "", "phase 2", "north hall", "second site", "3 sites", "extension", "pilot line", "east dock", "renewal",
    "night shift",
)  # fmt: skip

SOURCES: tuple[str, ...] = ("Trade fair", "Referral", "Web form", "Partner", "Outbound", "Webinar", "Existing customer")

# Name, tone.
TAGS: tuple[tuple[str, str], ...] = (
    ("Champion", "green"), ("Trade fair", "blue"), ("Newsletter", "gray"), ("Reference", "violet"),
    ("Key site", "amber"),
    ("Procurement", "cyan"), ("Pilot", "teal"), ("At risk", "red"),
)  # fmt: skip
