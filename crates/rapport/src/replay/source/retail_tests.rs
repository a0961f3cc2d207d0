//! The file's lines become the right events, and none is lost.

use std::{collections::HashMap, io::Write};

use serde_json::Value;

use super::*;

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

fn read(lines: &str) -> Result<Vec<(Message, Value)>, ReplayError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(HEADER.as_bytes()).unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    Retail::open(file.path())?
        .map(|message| message.map(|message| (message.clone(), serde_json::from_slice(&message.json).unwrap())))
        .collect()
}

#[test]
fn lines_become_orders_cancellations_and_adjustments() {
    let events = read(concat!(
        "1,A,LAMP,6,2010-12-01 08:00:00,2.55,17850.0,United Kingdom\n",
        "C2,A,LAMP,-1,2010-12-01 08:01:00,2.55,17850.0,United Kingdom\n",
        "1,B,\"CUP, RED\",2,2010-12-01 08:01:00,0.1,17850.0,United Kingdom\n",
        "3,B,,-5,2010-12-01 09:00:00,0.0,,United Kingdom\n",
        "4,B,CUP,1,2010-12-01 09:30:00,0.1,,France\n",
        "A5,B,Adjust bad debt,1,2010-12-01 10:30:00,-7.5,,United Kingdom\n",
    ))
    .unwrap();
    let names: Vec<_> = events.iter().map(|(_, json)| json["event"].as_str().unwrap_or("identify")).collect();
    let expected =
        ["identify", "Order Completed", "Order Cancelled", "Stock Adjusted", "Order Completed", "Stock Adjusted"];
    assert_eq!(names, expected);
    let order = &events[1].1;
    assert_eq!(order["timestamp"], "2010-12-01T08:01:00.000Z");
    assert_eq!((&order["userId"], &order["messageId"]), (&"17850".into(), &"invoice-1".into()));
    assert_eq!(order["properties"]["total"], 15.5);
    assert_eq!(order["properties"]["products"][1]["name"], "CUP, RED");
    assert_eq!(events[0].1["traits"]["country"], "United Kingdom");
    assert_eq!(events[2].1["properties"]["total"], 2.55);
    assert_eq!(events[2].1["properties"]["products"][0]["quantity"], 1);
    assert_eq!(events[3].1["anonymousId"], "warehouse");
    assert_eq!(events[4].1["anonymousId"], "invoice-4");
    assert_eq!(events[5].1["properties"]["total"], -7.5);
    assert_eq!(events.iter().map(|(message, _)| message.lines).sum::<u32>(), 6);
    // Only the order of a known customer is judged.
    assert_eq!(events.iter().filter(|(message, _)| message.is_order).count(), 1);
}

#[test]
fn an_invoice_that_comes_back_is_told_as_more_items_of_it() {
    let events =
        read(concat!("1,A,LAMP,6,2010-12-01 08:00:00,2.55,1.0,UK\n", "1,A,LAMP,1,2010-12-02 08:00:00,2.55,1.0,UK\n",))
            .unwrap();
    assert_eq!(events[2].1["event"], "Order Items");
    assert_ne!(events[1].0.id, events[2].0.id);
    assert!(!events[2].0.is_order);
}

#[test]
fn mistakes_in_the_file_are_told_with_their_line() {
    let error = |lines| read(lines).unwrap_err().to_string();
    assert!(error("1,A,L,x,2010-12-01 08:00:00,2,1.0,UK\n").contains("line 2: Quantity \"x\""));
    let late = "1,A,L,1,2010-12-01 08:00:00,2,1.0,UK\n2,A,L,1,2010-11-01 08:00:00,2,1.0,UK\n";
    assert!(error(late).contains("line 3: it is earlier"), "{}", error(late));
    assert!(error("1,A,L\n").contains("line 2"));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"a,b\n1,2\n").unwrap();
    let error = Retail::open(file.path()).err().unwrap().to_string();
    assert!(error.contains("has no column InvoiceNo, StockCode"), "{error}");
    let error = Retail::open(Path::new("/nowhere.csv")).err().unwrap().to_string();
    assert!(error.contains("cannot read /nowhere.csv"), "{error}");
}

/// The published figures of the data set, on the whole file.
#[test]
fn the_whole_file_is_represented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/online_retail/online_retail.csv.gz");
    if !path.exists() {
        println!("skipped: the Online Retail file is not at {}", path.display());
        return;
    }
    let mut source = Retail::open(&path).unwrap();
    let (mut lines, mut sum, mut last) = (0_u64, 0.0, Timestamp::MIN);
    let mut latest: HashMap<CustomerId, Timestamp> = HashMap::new();
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut ids = std::collections::HashSet::new();
    for message in source.by_ref() {
        let message = message.unwrap();
        let json: Value = serde_json::from_slice(&message.json).unwrap();
        assert!(message.json.len() <= 32 * 1024, "{} has {} bytes", message.id, message.json.len());
        assert!(ids.insert(message.id.clone()), "{} twice", message.id);
        assert!(message.at >= last);
        last = message.at;
        assert!(latest.insert(message.lane.clone(), message.at).is_none_or(|before| before <= message.at));
        lines += u64::from(message.lines);
        let name = json["event"].as_str().unwrap_or("identify");
        let total = json["properties"]["total"].as_f64().unwrap_or(0.0);
        sum += if name == "Order Cancelled" { -total } else { total };
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    assert_eq!((lines, source.lines, source.customers()), (541_909, 541_909, 4_372));
    assert!((sum - 9_747_747.93).abs() < 0.01, "{sum}");
    assert_eq!(counts["Order Completed"] + counts["Order Cancelled"] + counts["Stock Adjusted"], 25_900);
    assert_eq!((counts["Order Cancelled"], counts["identify"]), (3_836, 4_372));
    assert!(counts["Order Items"] > 100);
}
