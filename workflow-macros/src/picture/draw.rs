//! The picture as SVG.

use std::fmt;

use super::Diagram;
use super::arena::Id;
use super::graph::{Arrow, ArrowKind, Graph, Label, Node};
use super::layers::{BOX_HEIGHT, Content, LABEL_GAP, LINE_HEIGHT, LOOP_WIDTH, Layers, Slot, box_width, slot_count};
use super::order::order;
use super::place::{Places, place};
use super::rank::rank;
use super::text::{as_f64, escape_xml, summary};

/// Free space around the drawing, and above it for the dot that points at the start.
const MARGIN: f64 = 6.0;
const ABOVE_START: f64 = 36.0;
/// The length of an arrow's head and half of its width.
const HEAD: f64 = 8.0;
const HALF_HEAD: f64 = 3.5;
/// From the middle of a line of text to its baseline.
const BASELINE: f64 = 4.0;
/// How small a picture that is too wide may be shown before it has to be scrolled.
const LEAST_SCALE: f64 = 0.6;
/// A picture with more slots is no help to anybody, and takes a good part of a second and a megabyte.
const MOST_SLOTS: usize = 40_000;

/// The workflow as a picture: HTML that stands for itself in Markdown, without blank lines, and reads on light and dark.
/// It does not end with a newline. In place of a picture of thousands of arrows it is a sentence that says so.
pub(crate) fn svg(diagram: &Diagram) -> String {
    let graph = Graph::new(diagram);
    let ranks = rank(&graph);
    if slot_count(&graph, &ranks) > MOST_SLOTS {
        return "<p>(This workflow has too many ways through it to be drawn.)</p>".to_owned();
    }
    let mut layers = Layers::new(&graph, &ranks);
    order(&mut layers);
    let places = place(&layers);
    let drawing = Drawing { graph: &graph, layers: &layers, places: &places };
    let width = places.width + 2.0 * MARGIN;
    let height = places.height + ABOVE_START + 2.0 * MARGIN;
    let mut lines = vec![
        "<div style=\"overflow-x:auto\">".to_owned(),
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"{label}\" style=\"display:block;margin:0 auto;width:100%;max-width:{width}px;\
             min-width:{least}px\" font-family=\"'Source Code Pro',ui-monospace,Menlo,Consolas,monospace\" \
             font-size=\"11\" fill=\"none\" stroke=\"currentColor\">",
            width = Number(width),
            height = Number(height),
            least = Number(width * LEAST_SCALE),
            label = escape_xml(&format!("The states of {}", diagram.name)),
        ),
        format!("<g transform=\"translate({} {})\">", Number(MARGIN), Number(MARGIN + ABOVE_START)),
    ];
    lines.extend(graph.arrows.ids().map(|arrow| drawing.arrow(arrow)));
    for slot in layers.rows.iter().flatten() {
        match layers.slots[*slot].content {
            Content::State(node) => lines.push(drawing.state(*slot, node)),
            Content::Label(arrow) => lines.push(drawing.label(*slot, arrow)),
            Content::Bend => {}
        }
    }
    lines.push("</g>\n</svg>\n</div>".to_owned());
    lines.join("\n")
}

struct Drawing<'a> {
    graph: &'a Graph,
    layers: &'a Layers,
    places: &'a Places,
}

impl Drawing<'_> {
    fn state(&self, slot: Id<Slot>, id: Id<Node>) -> String {
        let node = &self.graph.nodes[id];
        let (x, y) = (self.places.x[slot], self.places.band[slot].middle());
        let width = box_width(node);
        let (left, top) = (x - width / 2.0, y - BOX_HEIGHT / 2.0);
        let mut parts = vec!["<g>".to_owned()];
        let doc = summary(&node.doc);
        if !doc.is_empty() {
            parts.push(format!("<title>{}</title>", escape_xml(&doc)));
        }
        if self.graph.start == Some(id) {
            parts.push(format!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"5\" fill=\"currentColor\"/>",
                Number(x),
                Number(top - 28.0)
            ));
            parts.push(line(vec![Point { x, y: top - 28.0 }, Point { x, y: top }], ArrowKind::Normal));
        }
        parts.push(rectangle(left, top, width, BOX_HEIGHT, 7.0, " fill=\"currentColor\" fill-opacity=\".06\""));
        if node.end {
            parts.push(rectangle(left + 3.0, top + 3.0, width - 6.0, BOX_HEIGHT - 6.0, 4.5, ""));
        }
        parts.push(format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\" stroke=\"none\" fill=\"currentColor\">{}</text>",
            Number(x),
            Number(y + BASELINE + 0.5),
            escape_xml(&node.name),
        ));
        if !node.loops.is_empty() {
            parts.push(self_loop(left + width, y));
            parts.push(texts(&node.loops, left + width + LOOP_WIDTH + LABEL_GAP, y));
        }
        parts.push("</g>".to_owned());
        parts.concat()
    }

    fn label(&self, slot: Id<Slot>, arrow: Id<Arrow>) -> String {
        texts(&self.graph.arrows[arrow].labels, self.places.x[slot] + LABEL_GAP, self.places.band[slot].middle())
    }

    fn arrow(&self, id: Id<Arrow>) -> String {
        let arrow = &self.graph.arrows[id];
        let [upper, middle @ .., lower] = self.layers.chains[id].as_slice() else { return String::new() };
        let (Some(first), Some(last)) = (middle.first(), middle.last()) else { return String::new() };
        let Places { x, band, ports, .. } = self.places;
        let leaves = x[*upper] + ports.above[*first];
        let arrives = x[*lower] + ports.below[*last];
        let mut points = vec![
            Point { x: leaves, y: band[*upper].middle() + BOX_HEIGHT / 2.0 },
            Point { x: leaves, y: band[*upper].bottom },
        ];
        for slot in middle {
            points.push(Point { x: x[*slot], y: band[*slot].top });
            points.push(Point { x: x[*slot], y: band[*slot].bottom });
        }
        points.push(Point { x: arrives, y: band[*lower].top });
        points.push(Point { x: arrives, y: band[*lower].middle() - BOX_HEIGHT / 2.0 });
        if matches!(self.layers.slots[*upper].content, Content::State(node) if node == arrow.to) {
            points.reverse();
        }
        line(points, arrow.kind)
    }
}

#[derive(Clone, Copy, PartialEq)]
struct Point {
    x: f64,
    y: f64,
}

/// An arrow through these points, which is vertical at each of them: within a row it goes straight, between two rows it
/// bends. Its head is drawn by hand, since a `<marker>` needs an id, and those of all pictures of a page would be mixed.
fn line(mut points: Vec<Point>, kind: ArrowKind) -> String {
    points.dedup();
    let (Some(first), Some(tip)) = (points.first().copied(), points.last().copied()) else { return String::new() };
    let head = if tip.y < first.y { -HEAD } else { HEAD };
    if let Some(last) = points.last_mut() {
        last.y -= head;
    }
    let mut path = format!("M{} {}", Number(first.x), Number(first.y));
    let mut from = first;
    for to in points.into_iter().skip(1) {
        if (from.x - to.x).abs() < 0.05 {
            path.push_str(&format!("V{}", Number(to.y)));
        } else {
            let middle = Number((from.y + to.y) / 2.0);
            let (x, y) = (Number(to.x), Number(to.y));
            path.push_str(&format!("C{} {middle} {x} {middle} {x} {y}", Number(from.x)));
        }
        from = to;
    }
    let dashes = match kind {
        ArrowKind::Normal => "",
        ArrowKind::Failure => " stroke-dasharray=\"5 3\"",
    };
    let wings = tip.y - head;
    format!(
        "<path d=\"{path}\" stroke-opacity=\".65\"{dashes}/>\
         <path d=\"M{} {}L{} {wings}L{} {wings}Z\" stroke=\"none\" fill=\"currentColor\"/>",
        Number(tip.x),
        Number(tip.y),
        Number(tip.x - HALF_HEAD),
        Number(tip.x + HALF_HEAD),
        wings = Number(wings),
    )
}

/// Out of the right side of a box and back into it.
fn self_loop(right: f64, middle: f64) -> String {
    let (out, back) = (middle - 8.0, middle + 8.0);
    let far = right + LOOP_WIDTH * 1.3;
    format!(
        "<path d=\"M{right} {out}C{far} {out} {far} {back} {wings} {back}\" stroke-opacity=\".65\"/>\
         <path d=\"M{right} {back}L{wings} {}L{wings} {}Z\" stroke=\"none\" fill=\"currentColor\"/>",
        Number(back - HALF_HEAD),
        Number(back + HALF_HEAD),
        right = Number(right),
        out = Number(out),
        far = Number(far),
        back = Number(back),
        wings = Number(right + HEAD),
    )
}

fn rectangle(left: f64, top: f64, width: f64, height: f64, radius: f64, fill: &str) -> String {
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"{fill}/>",
        Number(left),
        Number(top),
        Number(width),
        Number(height),
        Number(radius),
    )
}

/// Lines of text from `left` on, around a middle line.
fn texts(labels: &[Label], left: f64, middle: f64) -> String {
    let top = middle - as_f64(labels.len()) * LINE_HEIGHT / 2.0;
    let lines = labels.iter().enumerate().map(|(position, label)| {
        let baseline = top + (as_f64(position) + 0.5) * LINE_HEIGHT + BASELINE;
        let detail = escape_xml(&label.detail);
        let detail = if detail.is_empty() { detail } else { format!(" <tspan fill-opacity=\".7\">{detail}</tspan>") };
        format!(
            "<text x=\"{}\" y=\"{}\" stroke=\"none\" fill=\"currentColor\">{}{detail}</text>",
            Number(left),
            Number(baseline),
            escape_xml(&label.handler),
        )
    });
    lines.collect()
}

/// A coordinate, to a tenth.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero turns a negative zero into a positive one.
        let tenths = (self.0 * 10.0).round() / 10.0 + 0.0;
        write!(formatter, "{tenths}")
    }
}
