//! The true places and the names of the demo city.

/// A district of L'Aquila: where it lies and how its streets are laid out.
pub struct DistrictPlan {
    pub name: &'static str,
    /// Its true centre.
    pub centre: [f64; 2],
    /// Half its extent along and across the main street, in metres.
    pub extent: [f64; 2],
    /// The heading of the main street, degrees anticlockwise from east.
    pub turn: f64,
    /// How crooked the streets are: 0 a drawing board, 1 a medieval hill town.
    pub crooked: f64,
    /// The long street through the middle, and the one across it.
    pub main_streets: [&'static str; 2],
    /// Streets that gather traffic, by their true names.
    pub avenues: &'static [&'static str],
    /// What small streets begin with: the first for most, the second where names run out.
    pub lanes: [&'static str; 2],
    /// True buildings: name, type, latitude, longitude, capacity.
    pub landmarks: &'static [(&'static str, &'static str, f64, f64, u32)],
    /// Bus stops by their true names, and about where they are.
    pub stops: &'static [(&'static str, f64, f64)],
}

/// Piazza del Duomo and around: the middle of the map.
pub const CITY_CENTRE: [f64; 2] = [42.3498, 13.3995];

/// The five districts, in the order of their ids.
pub const DISTRICTS: [DistrictPlan; 5] = [
    DistrictPlan {
        name: "Centro Storico",
        centre: [42.3498, 13.3995],
        extent: [1080.0, 900.0],
        turn: 62.0,
        crooked: 1.0,
        main_streets: ["Corso Vittorio Emanuele II", "Corso Principe Umberto"],
        avenues: &[
            "Via XX Settembre",
            "Viale Francesco Crispi",
            "Via Giuseppe Garibaldi",
            "Via Roma",
            "Viale di Collemaggio",
            "Via Fortebraccio",
            "Viale Duca degli Abruzzi",
            "Viale Gran Sasso d'Italia",
            "Via Castello",
            "Corso Federico II",
            "Viale Giovanni XXIII",
            "Via Strinella",
        ],
        lanes: ["Via", "Vicolo"],
        landmarks: &[
            ("Palazzo Margherita", "government", 42.35105, 13.39935, 320),
            ("Forte Spagnolo", "museum", 42.35545, 13.40420, 600),
            ("Basilica di San Bernardino", "church", 42.35095, 13.40290, 700),
            ("Basilica di Santa Maria di Collemaggio", "church", 42.34285, 13.40440, 900),
            ("Cattedrale dei Santi Massimo e Giorgio", "church", 42.34865, 13.39780, 800),
            ("Palazzo dell'Emiciclo", "government", 42.34590, 13.39985, 420),
            ("MAXXI L'Aquila (Palazzo Ardinghelli)", "museum", 42.34895, 13.40130, 350),
            ("Palazzo Camponeschi (Rettorato)", "university", 42.34975, 13.39700, 260),
            ("Gran Sasso Science Institute", "university", 42.34450, 13.40050, 380),
            ("Teatro Comunale", "theatre", 42.35200, 13.40200, 600),
            ("Auditorium del Parco", "theatre", 42.35420, 13.40280, 240),
            ("Palazzo Fibbioni", "government", 42.34880, 13.39960, 150),
        ],
        stops: &[
            ("Piazza Duomo", 42.34880, 13.39860),
            ("Fontana Luminosa", 42.35390, 13.40150),
            ("Terminal Collemaggio", 42.34420, 13.40300),
            ("Villa Comunale", 42.34560, 13.39910),
            ("Porta Rivera", 42.34710, 13.39180),
            ("Porta Napoli", 42.34300, 13.39850),
            ("Via Roma", 42.35130, 13.39430),
            ("Stazione FS", 42.35330, 13.38960),
        ],
    },
    DistrictPlan {
        name: "Pettino",
        centre: [42.3702, 13.3672],
        extent: [1120.0, 780.0],
        turn: -28.0,
        crooked: 0.45,
        main_streets: ["Via Antica Arischia", "Via Amiternum"],
        avenues: &[
            "Via Leonardo da Vinci",
            "Via Francesco Paolo Tosti",
            "Viale Aldo Moro",
            "Via Salaria Antica Ovest",
            "Viale della Croce Rossa",
            "Via Carlo Alberto dalla Chiesa",
            "Via Antonio Panella",
            "Viale Corrado IV",
            "Via Enrico De Nicola",
        ],
        lanes: ["Via", "Traversa"],
        landmarks: &[
            ("Centro Commerciale L'Aquilone", "commercial", 42.36640, 13.36480, 2200),
            ("Chiesa di San Francesco d'Assisi", "church", 42.37060, 13.36590, 400),
            ("Questura dell'Aquila", "government", 42.36730, 13.37280, 260),
        ],
        stops: &[
            ("Pettino Chiesa", 42.37060, 13.36590),
            ("L'Aquilone", 42.36640, 13.36480),
            ("Via Leonardo da Vinci", 42.37280, 13.36150),
            ("Viale Corrado IV", 42.36500, 13.37400),
            ("Cansatessa", 42.37580, 13.35830),
            ("Monte Pettino", 42.37350, 13.37100),
        ],
    },
    DistrictPlan {
        name: "Coppito",
        centre: [42.3668, 13.3395],
        extent: [1000.0, 820.0],
        turn: 12.0,
        crooked: 0.6,
        main_streets: ["Via Vetoio", "Via Amiternum"],
        avenues: &[
            "Via Giuseppe Saragat",
            "Via Lorenzo Natali",
            "Via Giovanni Falcone",
            "Via Fiamme Gialle",
            "Via Guglielmo Marconi",
            "Via Paolo Borsellino",
            "Via San Pietro",
            "Via Enrico Fermi",
        ],
        lanes: ["Via", "Traversa"],
        landmarks: &[
            ("Ospedale San Salvatore", "hospital", 42.36480, 13.34820, 1400),
            ("Polo Universitario di Coppito", "university", 42.36790, 13.35020, 2400),
            ("Scuola Ispettori e Sovrintendenti della Guardia di Finanza", "government", 42.36060, 13.34050, 2600),
            ("Chiesa di San Pietro di Coppito", "church", 42.36790, 13.34130, 260),
        ],
        stops: &[
            ("Ospedale San Salvatore", 42.36480, 13.34820),
            ("Università Coppito", 42.36780, 13.34950),
            ("Coppito Piazza", 42.36770, 13.34180),
            ("Guardia di Finanza", 42.36150, 13.34050),
            ("Via Vetoio", 42.36600, 13.34480),
            ("Coppito Ovest", 42.36700, 13.33200),
        ],
    },
    DistrictPlan {
        name: "Gignano",
        centre: [42.3432, 13.4268],
        extent: [1050.0, 740.0],
        turn: -24.0,
        crooked: 0.5,
        main_streets: ["Via della Torretta", "Via Sant'Elia"],
        avenues: &[
            "Via Papa Giovanni Paolo II",
            "Via Ugo Piccinini",
            "Via Medaglie d'Oro",
            "Via Mulino di Pile",
            "Via dell'Industria",
            "Via Fontanelle",
            "Via Beato Cesidio",
            "Via Onna",
        ],
        lanes: ["Via", "Traversa"],
        landmarks: &[
            ("Chiesa di Santa Maria della Torretta", "church", 42.34280, 13.41990, 300),
            ("Chiesa di San Sisto di Gignano", "church", 42.34420, 13.42480, 260),
            ("Motorizzazione Civile", "government", 42.33960, 13.43410, 140),
        ],
        stops: &[
            ("Torretta", 42.34310, 13.41960),
            ("Gignano Piazza", 42.34390, 13.42470),
            ("Sant'Elia", 42.33990, 13.43000),
            ("Via della Torretta", 42.34180, 13.42200),
            ("Sant'Elia Est", 42.33930, 13.43600),
        ],
    },
    DistrictPlan {
        name: "Paganica",
        centre: [42.3590, 13.4722],
        extent: [1100.0, 820.0],
        turn: 48.0,
        crooked: 0.8,
        main_streets: ["Via del Castello", "Viale della Concezione"],
        avenues: &[
            "Via degli Angeli",
            "Via Onna di Paganica",
            "Via del Rio",
            "Via Duca degli Abruzzi",
            "Via Fioretta",
            "Via San Giustino",
            "Via Raiale",
            "Via dei Raimondi",
        ],
        lanes: ["Via", "Vicolo"],
        landmarks: &[
            ("Palazzo Ducale Costanzo", "museum", 42.35830, 13.47290, 220),
            ("Chiesa di Santa Maria Assunta", "church", 42.35800, 13.47370, 450),
            ("Chiesa di San Giustino", "church", 42.36160, 13.47060, 200),
            ("Santuario della Madonna d'Appari", "church", 42.36450, 13.47880, 80),
        ],
        stops: &[
            ("Paganica Villa", 42.35780, 13.47280),
            ("Paganica Castello", 42.36030, 13.47300),
            ("San Giustino", 42.36140, 13.47060),
            ("Concezione", 42.35580, 13.47130),
            ("Paganica Stazione", 42.35350, 13.46900),
        ],
    },
];

/// Roads that join two districts: their indices, the name, and how far the road bows to its left (share of its length).
pub const ARTERIALS: [(usize, usize, &str, f64); 6] = [
    (2, 1, "Via Amiternum", 0.04),
    (1, 0, "Viale Corrado IV", -0.06),
    (2, 0, "Strada Statale 17 Ovest", -0.16),
    (0, 3, "Strada Statale 17 Est", 0.07),
    (3, 4, "Via Paganica", 0.08),
    (0, 4, "Strada Statale 17 bis", 0.12),
];

/// Whom and what small streets are named after.
pub const STREETS: &[&str] = &[
    "Sallustio", "Cavour", "Cimino", "Accursio", "Bafile", "Verdi", "Bellini", "Rossini", "Puccini", "Donizetti",
    "Mascagni", "Leopardi", "Carducci", "Pascoli", "D'Annunzio", "Manzoni", "Foscolo", "Petrarca", "Boccaccio",
    "Dante Alighieri", "Ariosto", "Tasso", "Machiavelli", "Galileo Galilei", "Volta", "Galvani", "Marconi", "Meucci",
    "Torricelli", "Avogadro", "Majorana", "Segrè", "Montessori", "Pirandello", "Verga", "Deledda", "Svevo", "Calvino",
    "Moravia", "Silone", "Flaiano", "Croce", "Gramsci", "Gobetti", "Matteotti", "Amendola", "De Gasperi", "Einaudi",
    "Nenni", "Pertini", "La Malfa", "Togliatti", "Berlinguer", "Nilde Iotti", "Tina Anselmi", "Mazzini", "Pisacane",
    "Bixio", "Nievo", "Mameli", "Cairoli", "Settembrini", "Saffi", "Crispi", "Ricasoli", "D'Azeglio", "Rattazzi",
    "Cattaneo", "Gioberti", "Rosmini", "Campanella", "Giordano Bruno", "Vico", "Muratori", "Caravaggio", "Tiziano",
    "Raffaello", "Michelangelo", "Donatello", "Giotto", "Cimabue", "Masaccio", "Mantegna", "Botticelli", "Bernini",
    "Borromini", "Palladio", "Bramante", "Brunelleschi", "Canova", "Modigliani", "Boccioni", "De Chirico", "Morandi",
    "Guttuso", "Patini", "Saturnino Gatti", "Silvestro dell'Aquila", "Buccio di Ranallo", "Niccolò dell'Isola",
    "San Marciano", "San Flaviano", "San Pietro", "Santa Giusta", "San Silvestro", "San Domenico", "Sant'Agostino",
    "San Martino", "Santa Maria Paganica", "San Vito", "Santa Chiara", "San Basilio", "Sant'Amico", "San Benedetto",
    "Sant'Antonio", "San Lorenzo", "Santa Lucia", "San Rocco", "dei Giardini", "dei Marsi", "dei Vestini", "dei Sabini",
    "dei Peligni", "delle Aquile", "degli Ulivi", "dei Mandorli", "dei Castagni", "dei Tigli", "delle Acacie", "dei Pini",
    "degli Abeti", "delle Betulle", "dei Cipressi", "delle Rose", "delle Viole", "dei Ciliegi", "del Noce", "delle Vigne",
    "dello Zafferano", "del Mulino", "della Fonte", "del Colle", "della Valle", "del Poggio", "delle Mura", "della Rocca",
    "del Vasto", "del Ponte", "della Croce", "dell'Arco", "del Forno", "della Torre", "delle Scuole", "della Pineta",
    "dei Cappuccini", "delle Grazie", "del Carmine", "della Pace", "della Libertà", "della Repubblica", "Aterno", "Gran Sasso",
    "Monte Ocre", "Monte Velino", "Majella", "Sirente", "Pescara", "Teramo", "Chieti", "Sulmona", "Avezzano", "Amiterno",
    "Forcona", "Campo Imperatore",
];
