package limiter

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The chart's measures, in its own pixels.
const (
	chartWidth            = 960
	plotLeft, plotRight   = 72, 936
	plotTop, plotBottom   = 118, 320
	stripTop, stripBottom = 323, 329 // which rule bound, also where nothing was sent
	mostColumns           = 62
)

// rulePaint is how many rules have a colour of their own. The others share one.
const rulePaint = 6

// chartStyle has colours that people with any colour vision can tell apart (Okabe
// and Ito), lighter ones where the reader's screen is dark.
const chartStyle = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #59636e }
    .title { font-size: 20px; font-weight: 600; fill: #1f2328 }
    .value { font-size: 12px; fill: #1f2328 }
    .page { fill: #ffffff }
    .grid { stroke: #d8dee4; stroke-width: 1 }
    .axis { stroke: #818b98; stroke-width: 1 }
    .c0 { fill: #0072b2 } .c1 { fill: #d55e00 } .c2 { fill: #009e73 } .c3 { fill: #cc79a7 }
    .c4 { fill: #e69f00 } .c5 { fill: #56b4e9 } .c6 { fill: #6e7781 } .free { fill: #b8c0c8 }
    @media (prefers-color-scheme: dark) {
      text { fill: #9198a1 }
      .title, .value { fill: #f0f6fc }
      .page { fill: #0d1117 }
      .grid { stroke: #2a313c }
      .axis { stroke: #656c76 }
      .c0 { fill: #4aa8e0 } .c1 { fill: #f08a4b } .c2 { fill: #3fc79a } .c3 { fill: #e3a1c4 }
      .c4 { fill: #f2bd45 } .c5 { fill: #9ad4f7 } .c6 { fill: #9198a1 } .free { fill: #4b535d }
    }
`

// WriteSVG writes the projection as a picture: a bar a day, as high as the messages
// that go, in the colour of the rule that bound it. Where there are more than 62
// days a bar stands for several. The picture is one SVG file that needs no other,
// for light and dark screens. The error is w's.
func (p *Projection) WriteSVG(w io.Writer) error {
	c := newChart(p)
	legend := c.legend()
	height := plotBottom + 70 + legendLine*len(legend)
	c.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title summary">`, chartWidth, height)
	c.put(`  <title id="title">%s</title>`, text(c.title()))
	c.put(`  <desc id="summary">%s</desc>`, text(p.Summary()))
	c.put("  <style>%s  </style>", chartStyle)
	c.put(`  <rect class="page" width="%d" height="%d"/>`, chartWidth, height)
	c.put(`  <text class="title" x="24" y="38">%s</text>`, text(c.title()))
	c.put(`  <text x="24" y="62">%s</text>`, text(c.outcome()))
	c.grid()
	c.bars()
	c.dates()
	c.put(`  <text x="24" y="%d">What held messages back for longest</text>`, plotBottom+58)
	for i, line := range legend {
		c.name(line, float64(plotBottom+82+legendLine*i))
	}
	c.put("</svg>")
	_, err := w.Write(c.out.Bytes())
	return err
}

// A chart is a picture under way.
type chart struct {
	of      *Projection
	per     int // days in a column
	columns []Day
	colours map[string]string // of the rules that bound
	bound   map[string]int    // days that each rule bound
	rules   []string          // those, the most days first
	top     int               // of the scale
	step    int
	out     bytes.Buffer
}

func newChart(p *Projection) *chart {
	c := &chart{of: p, colours: make(map[string]string), bound: make(map[string]int)}
	c.per = max((len(p.Days)+mostColumns-1)/mostColumns, 1)
	for i, d := range p.Days {
		c.bound[d.Bound()]++
		if i%c.per == 0 {
			c.columns = append(c.columns, Day{Date: d.Date})
		}
		last := &c.columns[len(c.columns)-1]
		last.Sent += d.Sent
		last.Held = merged(last.Held, d.Held)
	}
	most := 1
	for _, d := range c.columns {
		most = max(most, d.Sent)
	}
	c.step = scaleStep(most)
	c.top = (most + c.step - 1) / c.step * c.step

	for rule := range c.bound {
		c.rules = append(c.rules, rule)
	}
	slices.SortFunc(c.rules, func(a, b string) int {
		return cmp.Or(c.bound[b]-c.bound[a], strings.Compare(a, b))
	})
	next := 0
	for _, rule := range c.rules {
		if rule == "" {
			c.colours[rule] = "free"
			continue
		}
		c.colours[rule] = fmt.Sprintf("c%d", min(next, rulePaint))
		next++
	}
	return c
}

// scaleStep is a round number that most holds no more than five times.
func scaleStep(most int) int {
	for tens := 1; ; tens *= 10 {
		for _, step := range []int{tens, 2 * tens, 5 * tens} {
			if (most+step-1)/step <= 5 {
				return step
			}
		}
	}
}

func (c *chart) put(format string, args ...any) {
	_, _ = fmt.Fprintf(&c.out, format+"\n", args...) // which takes everything
}

func (c *chart) title() string {
	if c.of.Policy == "" {
		return messages(c.of.Asked)
	}
	return messages(c.of.Asked) + " under " + printable(c.of.Policy)
}

// outcome is the line below the title.
func (c *chart) outcome() string {
	switch p := c.of; {
	case p.Sent == 0 && p.Asked > 0:
		return fmt.Sprintf("none ever goes: rule %q", printable(p.StoppedBy))
	case p.Sent == 0:
		return "nothing to send"
	case p.StoppedBy != "":
		return fmt.Sprintf("%s of %s go: then rule %q lets none through", thousands(p.Sent), thousands(p.Asked), printable(p.StoppedBy))
	default:
		return fmt.Sprintf("the last goes on %s, %s after the start", p.End.Format("2 January 2006 at 15:04:05 MST"), inDays(p.took()))
	}
}

// x is where column i begins, out of their number.
func (c *chart) x(i int) float64 {
	return plotLeft + float64(plotRight-plotLeft)*float64(i)/float64(len(c.columns))
}

func (c *chart) y(n int) float64 {
	return plotBottom - float64(plotBottom-plotTop)*float64(n)/float64(c.top)
}

func (c *chart) grid() {
	unit := "messages a day"
	if c.per > 1 {
		unit = fmt.Sprintf("messages in %d days", c.per)
	}
	c.put(`  <text x="24" y="%d">%s</text>`, plotTop-26, unit)
	for n := c.step; n <= c.top; n += c.step {
		c.put(`  <line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, plotLeft, plotRight, c.y(n), c.y(n))
		c.put(`  <text x="%d" y="%.1f" text-anchor="end">%s</text>`, plotLeft-8, c.y(n)+4, thousands(n))
	}
	c.put(`  <line class="axis" x1="%d" x2="%d" y1="%d" y2="%d"/>`, plotLeft, plotRight, plotBottom, plotBottom)
	c.put(`  <text x="%d" y="%d" text-anchor="end">0</text>`, plotLeft-8, plotBottom+4)
}

func (c *chart) bars() {
	const values = 16 // with more columns a number does not fit over each
	for i, d := range c.columns {
		gap := min((c.x(i+1)-c.x(i))/5, 6)
		width := min(c.x(i+1)-c.x(i)-gap, 80)
		left := (c.x(i) + c.x(i+1) - width) / 2
		colour := c.colours[d.Bound()]
		c.put(`  <g><title>%s</title>`, text(c.tip(i)))
		c.put(`    <rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, colour, left, c.y(d.Sent), width, plotBottom-c.y(d.Sent))
		c.put(`    <rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/>`, colour, left, stripTop, width, stripBottom-stripTop)
		c.put(`  </g>`)
		if len(c.columns) <= values && d.Sent > 0 {
			c.put(`  <text class="value" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, left+width/2, c.y(d.Sent)-5, thousands(d.Sent))
		}
	}
}

// tip is what column i says when it is pointed at.
func (c *chart) tip(i int) string {
	d := c.columns[i]
	dates := d.Date.Format("Monday 2 January 2006")
	if c.per > 1 {
		last := c.of.Days[min((i+1)*c.per, len(c.of.Days))-1]
		dates = d.Date.Format(time.DateOnly) + " to " + last.Date.Format(time.DateOnly)
	}
	if len(d.Held) == 0 {
		return fmt.Sprintf("%s: %s, nothing held any", dates, messages(d.Sent))
	}
	return fmt.Sprintf("%s: %s; held by %s", dates, messages(d.Sent), waits(d.Held))
}

// dates writes a date below as many columns as there is room for.
func (c *chart) dates() {
	const room = 78
	layout := "2 Jan"
	if n := len(c.of.Days); n > 0 && c.of.Days[0].Date.Year() != c.of.Days[n-1].Date.Year() {
		layout = "2 Jan 2006"
	}
	every := 1
	for len(c.columns) > 0 && float64(every)*(c.x(1)-c.x(0)) < room {
		every++
	}
	for i := 0; i < len(c.columns); i += every {
		if (c.x(i)+c.x(i+1))/2+room/2 > chartWidth {
			break
		}
		c.put(`  <text x="%.1f" y="%d" text-anchor="middle">%s</text>`, (c.x(i)+c.x(i+1))/2, stripBottom+18, c.columns[i].Date.Format(layout))
	}
}

// legendLine is how high a line of the legend is.
const legendLine = 22

// A caption of the legend is a colour and what it stands for.
type caption struct {
	colour, name string
	days         int
}

func (e caption) label() string {
	if e.days == 1 {
		return e.name + ": 1 day"
	}
	return fmt.Sprintf("%s: %s days", e.name, thousands(e.days))
}

// width is about how wide the caption is: nobody knows the reader's font.
func (e caption) width() float64 { return 18 + 7.2*float64(len([]rune(e.label()))) + 24 }

// legend is the rules that bound, in lines; those that share a colour share a caption.
func (c *chart) legend() (lines [][]caption) {
	var captions []caption
	for _, rule := range c.rules {
		colour := c.colours[rule]
		if n := len(captions); n > 0 && captions[n-1].colour == colour {
			captions[n-1].name = "other rules"
			captions[n-1].days += c.bound[rule]
			continue
		}
		captions = append(captions, caption{colour, cmp.Or(printable(rule), "nothing"), c.bound[rule]})
	}
	x := float64(plotRight)
	for _, e := range captions {
		if x+e.width() > plotRight {
			lines, x = append(lines, nil), 24
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], e)
		x += e.width()
	}
	return lines
}

// name writes a line of the legend.
func (c *chart) name(line []caption, y float64) {
	x := 24.0
	for _, e := range line {
		c.put(`  <rect class="%s" x="%.1f" y="%.1f" width="12" height="12" rx="2"/>`, e.colour, x, y-11)
		c.put(`  <text class="value" x="%.1f" y="%.1f">%s</text>`, x+18, y, text(e.label()))
		x += e.width()
	}
}

// text is s as it may stand in an XML file.
func text(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
