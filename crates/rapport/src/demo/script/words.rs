//! What the made-up company is made of: products, names of companies, what people write. Lists have commas between.

/// People who sell, and people who answer customers.
pub(super) const SELLERS: &[&str] =
    &["Sophie Turner", "Jonas Becker", "Camille Laurent", "王思远/Siyuan Wang", "Priya Nair"];
pub(super) const AGENTS: &[&str] = &["Tom Fletcher", "Marta Kowalczyk", "李欣怡/Xinyi Li"];

/// Name, category, price in pounds.
pub(super) const PRODUCTS: &[(&str, &str, f64)] = &[
    ("Lantern, brushed copper", "Lighting", 14.5),
    ("Fairy lights, warm white", "Lighting", 9.95),
    ("Table lamp, linen shade", "Lighting", 39.0),
    ("Candle set, beeswax", "Candles", 12.0),
    ("Scented candle, fig", "Candles", 16.5),
    ("Tealight holder, glass", "Candles", 4.25),
    ("Ceramic mug, speckled", "Kitchen", 7.5),
    ("Teapot, cast iron", "Kitchen", 34.0),
    ("Cake stand, two tiers", "Kitchen", 28.0),
    ("Apron, striped cotton", "Kitchen", 18.0),
    ("Wrapping paper, botanical", "Stationery", 3.6),
    ("Notebook, cloth bound", "Stationery", 8.8),
    ("Greeting cards, box of 12", "Stationery", 11.0),
    ("Advent calendar, wooden", "Seasonal", 42.0),
    ("Christmas baubles, set of 6", "Seasonal", 15.0),
    ("Easter garland", "Seasonal", 6.4),
    ("Picnic basket, willow", "Outdoor", 55.0),
    ("Bird house, cedar", "Outdoor", 22.0),
    ("Plant pot, terracotta", "Outdoor", 9.0),
    ("Cushion, knitted", "Home", 24.0),
    ("Throw, merino", "Home", 68.0),
    ("Wall clock, oak", "Home", 49.0),
    ("Jigsaw, 1,000 pieces", "Games", 17.0),
    ("Wooden train set", "Games", 38.0),
];

/// A country with where its companies are, and how likely a company is there.
pub(super) struct Land {
    pub(super) name: &'static str,
    pub(super) weight: u64,
    pub(super) cities: &'static str,
    pub(super) forms: &'static str,
    pub(super) currency: &'static str,
    first: &'static str,
    second: &'static str,
    /// Between the parts of a name.
    pub(super) space: &'static str,
}

impl Land {
    /// What companies there are called.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        (self.first, self.second)
    }
}

const EN_FIRST: &str = "Amber, Ashford, Bramble, Bluebell, Brindle, Cedar, Clover, Copper, Cottage, Elm, Fernhill, Foxglove, Harbour, \
    Hazel, Heather, Ivy, Juniper, Kestrel, Lantern, Larch, Linden, Maple, Marigold, Meadow, Millbrook, Mulberry, North Star, Oakham, \
    Orchard, Pebble, Primrose, Quayside, Robin, Rosemary, Rowan, Saffron, Seaside, Silver Birch, Skylark, Sparrow, Thistle, \
    Thornbury, Tidewater, Willow, Wren";
const EN_SECOND: &str = "& Co, & Daughters, & Finch, & Lane, & Sons, Bazaar, Emporium, Garden Centre, General Store, Gifts, Home, \
    Homeware, House, Interiors, Market, Museum Shop, Stores, Supply, Trading, Wholesale";

pub(super) const LANDS: &[Land] = &[
    Land {
        name: "United Kingdom",
        weight: 52,
        cities: "London, Manchester, Bristol, Leeds, Edinburgh, Brighton, Norwich, Cardiff, York, Bath, Glasgow, Belfast, Exeter",
        forms: "Ltd, LLP, plc, Ltd",
        currency: "GBP",
        first: EN_FIRST,
        second: EN_SECOND,
        space: " ",
    },
    Land {
        name: "Germany",
        weight: 11,
        cities: "Berlin, Hamburg, München, Köln, Leipzig, Stuttgart, Bremen, Münster",
        forms: "GmbH, KG, GmbH & Co. KG, OHG",
        currency: "EUR",
        first: "Alster, Ahorn, Birken, Brunnen, Dom, Eichen, Elb, Fuchs, Heide, Isar, Kirsch, Kronen, Linden, Markt, Mond, Mühlen, \
            Rosen, Sonnen, Stern, Wald",
        second: "Geschenke, Haus, Kontor, Laden, Lichter, Manufaktur, Papeterie, Warenhandel, Wohnen",
        space: "-",
    },
    Land {
        name: "France",
        weight: 10,
        cities: "Paris, Lyon, Nantes, Bordeaux, Lille, Strasbourg, Toulouse, Annecy",
        forms: "SARL, SAS, SA",
        currency: "EUR",
        first: "Atelier, Boutique, Comptoir, Maison, Magasin, Galerie, Bazar, Librairie",
        second: "Beaulieu, Clairefontaine, de la Place, des Lilas, des Tilleuls, du Canal, du Marché, du Moulin, du Port, du Vieux Pont, \
            Fleurie, Lavande, Mirabelle, Montclar",
        space: " ",
    },
    Land {
        name: "Netherlands",
        weight: 6,
        cities: "Amsterdam, Utrecht, Rotterdam, Haarlem, Delft",
        forms: "B.V., V.O.F.",
        currency: "EUR",
        first: "Gouden, Groene, Kleine, Oude, Blauwe, Zilveren, Witte",
        second: "Anker, Fakkel, Gracht, Haven, Lantaarn, Molen, Tulp, Winkel",
        space: " ",
    },
    Land {
        name: "Spain",
        weight: 5,
        cities: "Madrid, Barcelona, Valencia, Sevilla, Bilbao",
        forms: "S.L., S.A.",
        currency: "EUR",
        first: "Casa, Tienda, Mercado, Regalos, Rincón",
        second: "Alameda, del Sol, La Encina, La Plaza, Las Flores, Los Olivos, Miramar, Naranjo",
        space: " ",
    },
    Land {
        name: "Italy",
        weight: 4,
        cities: "Milano, Torino, Bologna, Firenze, Verona",
        forms: "S.r.l., S.p.A.",
        currency: "EUR",
        first: "Bottega, Casa, Emporio, Galleria",
        second: "Aurora, del Borgo, della Luna, La Fonte, Limoni, Montechiaro, San Lorenzo",
        space: " ",
    },
    Land {
        name: "Sweden",
        weight: 3,
        cities: "Stockholm, Göteborg, Malmö",
        forms: "AB",
        currency: "EUR",
        first: "Björk, Fjäll, Gran, Lilla, Nord, Skog, Sol",
        second: "Butiken, Hem, Huset, Ljus, Presenter",
        space: " ",
    },
    Land {
        name: "China",
        weight: 4,
        cities: "上海, 北京, 广州, 深圳, 杭州, 成都",
        forms: "贸易有限公司, 礼品有限公司, 家居有限公司",
        currency: "GBP",
        first: "上海, 北京, 广州, 深圳, 杭州, 成都",
        second: "星语, 青禾, 云和, 暖光, 远帆, 木槿, 晨曦, 四季",
        space: "",
    },
    Land {
        name: "Hong Kong",
        weight: 2,
        cities: "Hong Kong",
        forms: "Ltd",
        currency: "GBP",
        first: "Harbour, Jade, Lotus, Peak, Lantern",
        second: "Gifts, Home, Trading",
        space: " ",
    },
    Land {
        name: "USA",
        weight: 3,
        cities: "Portland, Boston, Austin, Chicago",
        forms: "Inc, LLC",
        currency: "GBP",
        first: EN_FIRST,
        second: EN_SECOND,
        space: " ",
    },
];

pub(super) const INDUSTRIES: &str = "Gift shops, Garden centres, Department stores, Museums and heritage, Hospitality, Events, Homeware, \
    Wholesale, Book shops, Online retail";
pub(super) const JOBS: &str = "Owner, Buyer, Head of buying, Store manager, Purchasing assistant, Operations manager, Managing director, \
    Accounts, Merchandiser";
pub(super) const STREETS: &str = "High Street, Station Road, Church Lane, Mill Lane, Victoria Road, Park Road, Queen Street, Bridge Street, \
    Market Place, The Green";

/// What deals are about, by the months in which they begin (1 to 12).
pub(super) const TOPICS: [&str; 4] = [
    "Easter range, Spring reorder, New shop opening, Summer outdoor range, Corporate gifts",
    "Summer outdoor range, Wedding season, Shop refit, Private label candles, New shop opening",
    "Christmas range, Christmas preview, Autumn reorder, Advent calendars, Corporate gifts",
    "Christmas top-up, New year sale stock, Spring preview, Corporate gifts, Lighting display",
];
/// The same in Chinese.
pub(super) const TOPICS_ZH: [&str; 4] = [
    "春节礼品, 春季补货, 新店开业",
    "夏季户外系列, 婚庆礼品",
    "圣诞系列, 秋季补货, 企业礼品",
    "新年特卖备货, 春季预览",
];
pub(super) const NEXT_STEPS: &str = "Send samples, Call back about quantities, Agree delivery dates, Wait for their budget, Send the revised quote, \
    Meet at the trade fair, Check stock for December, Introduce the account manager";
pub(super) const LOST: &str = "Price, Price, Chose a competitor, No budget this year, Delivery time too long, No answer any more, \
    Minimum order too high, Project cancelled";

pub(super) const TASKS: &str = "Call about the order, Send the price list, Send samples, Prepare the quote, Check the credit limit, Ask for feedback, \
    Confirm delivery dates, Send the catalogue, Plan the visit, Chase the overdue invoice, Book a stand visit, Update the forecast";
pub(super) const CALLS: &str =
    "Follow-up call, Price question, First call, Delivery question, Renewal call, Call about samples, Payment reminder";
pub(super) const MEETINGS: &str =
    "Showroom visit, Spring fair, Quarterly review, Product presentation, Contract talk, Video call about the range";
pub(super) const PLACES: &str = "Showroom, Video call, Their office, Trade fair, Warehouse";
pub(super) const OUTCOMES: &str = "They order by the end of the month, Samples wanted, They compare with two others, Agreed on prices, \
    Decision after their stocktake, Next talk in four weeks";

/// What is noted.
pub(super) const NOTES: &[&str] = &[
    "Prefers deliveries on Tuesdays before ten.\nThe back entrance is in the yard.",
    "Wants to double the candle range if the first order sells by October.",
    "Asked for net 45 instead of net 30. I said we can talk about it from the third order on.",
    "Spoke with the new buyer. She knows us from her last job and liked the packaging.",
    "They have two more shops opening in spring and will need a full set for each.",
    "Price is fine, but they need smaller boxes: the stock room is tiny.",
    "Competes with a shop in the same street that we deliver to. Keep the ranges apart.",
    "Very happy with how the broken lanterns were replaced. Good moment to ask for a reference.",
    "Budget is decided in the second week of January. No use in calling before.",
    "The invoice goes to head office, not to the shop.",
    "Would buy more if we had gift bags that match the wrapping paper.",
    "Moved the decision to after their stocktake.",
    "老板希望样品先寄到上海办公室，确认颜色后再下单。",
    "对方希望合同用中英文两种版本。",
    "Möchte die Rechnungen künftig als PDF an die Buchhaltung bekommen.",
    "Préfère être appelée l'après-midi; le matin, la boutique est pleine.",
];

/// What tickets are about, by language: English, German, French, Chinese.
pub(super) struct Topic {
    pub(super) category: &'static str,
    pub(super) weight: u64,
    /// How likely it is urgent.
    pub(super) heat: f64,
    pub(super) subjects: [&'static str; 4],
    pub(super) texts: [&'static str; 4],
}

pub(super) const TICKETS: &[Topic] = &[
    Topic {
        category: "Delivery",
        weight: 26,
        heat: 0.25,
        subjects: ["Where is my order?", "Wo bleibt meine Bestellung?", "Où est ma commande ?", "我的订单到哪里了？"],
        texts: [
            "I ordered last week and the tracking page has not moved for three days. Could you find out where the parcel is?",
            "Ich habe letzte Woche bestellt, und seit drei Tagen ändert sich in der Sendungsverfolgung nichts. Wo ist das Paket?",
            "J'ai commandé la semaine dernière et le suivi n'a pas bougé depuis trois jours. Pouvez-vous vérifier où est le colis ?",
            "我上周下的单，物流信息三天没有更新了，请帮忙查一下包裹在哪里。",
        ],
    },
    Topic {
        category: "Damaged item",
        weight: 18,
        heat: 0.3,
        subjects: ["Arrived broken", "Ware kam zerbrochen an", "Article arrivé cassé", "收到的商品破损"],
        texts: [
            "Two of the glass holders were broken when I opened the box. Photos are attached. Can you send new ones?",
            "Zwei der Gläser waren beim Auspacken zerbrochen. Fotos hängen an. Können Sie Ersatz schicken?",
            "Deux photophores étaient cassés à l'ouverture du carton. Pouvez-vous m'en renvoyer ?",
            "打开包装时发现两个玻璃烛台碎了，照片见附件，可以补发吗？",
        ],
    },
    Topic {
        category: "Return",
        weight: 16,
        heat: 0.05,
        subjects: [
            "I would like to send something back",
            "Ich möchte etwas zurückschicken",
            "Je souhaite renvoyer un article",
            "我想退货",
        ],
        texts: [
            "The cushion is lovely but the colour does not fit. It is unused. How do I return it?",
            "Das Kissen ist schön, aber die Farbe passt nicht. Es ist unbenutzt. Wie schicke ich es zurück?",
            "Le coussin est joli mais la couleur ne va pas. Il est neuf. Comment le renvoyer ?",
            "抱枕很漂亮，但颜色不合适，没有使用过，请问怎么退？",
        ],
    },
    Topic {
        category: "Invoice",
        weight: 13,
        heat: 0.1,
        subjects: ["Invoice is missing", "Rechnung fehlt", "Il manque la facture", "缺少发票"],
        texts: [
            "There was no invoice in the parcel and I need one for my accounts. Please send it to this address.",
            "Im Paket lag keine Rechnung, ich brauche sie aber für die Buchhaltung. Bitte an diese Adresse.",
            "Il n'y avait pas de facture dans le colis et j'en ai besoin pour ma comptabilité.",
            "包裹里没有发票，公司报销需要，请发到这个邮箱。",
        ],
    },
    Topic {
        category: "Product question",
        weight: 14,
        heat: 0.02,
        subjects: [
            "Is this safe outdoors?",
            "Ist das für draußen geeignet?",
            "Peut-on le laisser dehors ?",
            "这个可以放在室外吗？",
        ],
        texts: [
            "Can the copper lantern stay outside in winter, or does it tarnish?",
            "Kann die Kupferlaterne im Winter draußen bleiben, oder läuft sie an?",
            "La lanterne en cuivre peut-elle rester dehors en hiver ?",
            "这款铜灯冬天可以一直放在室外吗？会不会氧化？",
        ],
    },
    Topic {
        category: "Account",
        weight: 8,
        heat: 0.08,
        subjects: [
            "Cannot sign in to my account",
            "Anmeldung klappt nicht",
            "Impossible de me connecter",
            "无法登录账户",
        ],
        texts: [
            "The page says my password is wrong, and no mail comes when I ask for a new one.",
            "Die Seite sagt, mein Passwort sei falsch, und die Mail für ein neues kommt nicht an.",
            "Le site dit que mon mot de passe est faux et je ne reçois pas le message pour en changer.",
            "页面提示密码错误，点了找回也收不到邮件。",
        ],
    },
    Topic {
        category: "Order change",
        weight: 5,
        heat: 0.4,
        subjects: [
            "Please change the delivery address",
            "Bitte Lieferadresse ändern",
            "Changer l'adresse de livraison",
            "请修改收货地址",
        ],
        texts: [
            "I gave my old address by mistake. Is it still possible to change it before the parcel leaves?",
            "Ich habe aus Versehen die alte Adresse angegeben. Geht eine Änderung noch vor dem Versand?",
            "J'ai indiqué mon ancienne adresse par erreur. Est-il encore possible de la changer ?",
            "下单时填了旧地址，发货前还能改吗？",
        ],
    },
];
