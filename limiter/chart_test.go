package limiter_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A picture is what an XML reader finds in a chart.
type picture struct {
	width, height float64
	texts         []string // that are shown
	rects         []map[string]string
	elements      map[string]int
}

func draw(t require.TestingT, p *limiter.Projection) picture {
	var svg strings.Builder
	require.NoError(t, p.WriteSVG(&svg))
	decoder := xml.NewDecoder(strings.NewReader(svg.String()))
	found := picture{elements: make(map[string]int)}
	var open []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err, svg.String())
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			found.elements[token.Name.Local]++
			attributes := make(map[string]string)
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			switch token.Name.Local {
			case "svg":
				require.Equal(t, "http://www.w3.org/2000/svg", token.Name.Space)
				box := strings.Fields(attributes["viewBox"])
				found.width, found.height = number(t, box[2]), number(t, box[3])
			case "rect":
				found.rects = append(found.rects, attributes)
			case "text":
				found.texts = append(found.texts, "")
				require.LessOrEqual(t, number(t, attributes["y"]), found.height)
				require.LessOrEqual(t, number(t, attributes["x"]), found.width)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && open[len(open)-1] == "text" {
				found.texts[len(found.texts)-1] += string(token)
			}
		}
	}
}

func number(t require.TestingT, s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return n
}

// bars are the heights of the columns, and the colours of their strips.
func (p picture) bars(t require.TestingT) (heights []float64, colours []string) {
	for i := 1; i < len(p.rects); i++ {
		r := p.rects[i]
		if r["height"] == "6" { // a strip stands below each bar
			heights = append(heights, number(t, p.rects[i-1]["height"]))
			colours = append(colours, r["class"])
		}
	}
	return heights, colours
}

func TestChartShowsEachDay(t *testing.T) {
	t.Parallel()
	p := draw(t, forecast(t, policy.Strict(), 450, monday))
	heights, colours := p.bars(t)
	require.Len(t, heights, 3)
	require.InDelta(t, heights[0], heights[1], 0.1)
	require.InDelta(t, heights[0]/4, heights[2], 0.1)
	require.Equal(t, []string{"c0", "c0", "c1"}, colours)
	for _, text := range []string{
		"450 messages under strict", "the last goes on 7 January 2026 at 00:49:00 UTC, 1d16h49m0s after the start",
		"messages a day", "200", "50", "5 Jan", "6 Jan", "7 Jan", "day: 2 days", "gap: 1 day",
	} {
		require.Contains(t, p.texts, text)
	}
}

// However long it takes, the chart fits, and no message is lost in it.
func TestChartOfManyDaysFits(t *testing.T) {
	t.Parallel()
	p := only(policy.CalendarWindow{Max: 3, Unit: policy.Day})
	for _, n := range []int{1, 3 * 62, 3*62 + 1, 3 * 124, 10_000, 100_000} {
		found := draw(t, forecast(t, p, n, at(1, 0, 0)))
		heights, _ := found.bars(t)
		require.LessOrEqual(t, len(heights), 62)
		for _, r := range found.rects {
			if r["x"] != "" {
				require.GreaterOrEqual(t, number(t, r["x"]), 0.0)
				require.LessOrEqual(t, number(t, r["x"])+number(t, r["width"]), found.width)
				require.LessOrEqual(t, number(t, r["y"])+number(t, r["height"]), found.height)
			}
		}
	}
}

func TestChartOfWhatNeverEnds(t *testing.T) {
	t.Parallel()
	p := draw(t, forecast(t, only(policy.CalendarWindow{Unit: policy.Day}), 5, monday))
	require.Contains(t, p.texts, `none ever goes: rule "only"`)
	require.Contains(t, p.texts, "only: 1 day")
	p = draw(t, forecast(t, only(policy.SlidingWindow{Max: 1, Window: policy.MaxDuration}), 9, monday))
	require.Contains(t, p.texts, `3 of 9 go: then rule "only" lets none through`)
}

func TestChartIsForLightAndDark(t *testing.T) {
	t.Parallel()
	var svg strings.Builder
	require.NoError(t, forecast(t, policy.Standard(), 600, monday).WriteSVG(&svg))
	require.Contains(t, svg.String(), "@media (prefers-color-scheme: dark)")
	for _, foreign := range []string{"href", "url(", "@import", "<script", "<image", "<?"} {
		require.NotContains(t, svg.String(), foreign, "the picture needs something from elsewhere")
	}
	style := svg.String()[strings.Index(svg.String(), "<style>"):strings.Index(svg.String(), "</style>")]
	for _, class := range []string{".page", ".grid", ".axis", ".title", ".c0 ", ".c1 ", ".c2 ", ".c3 ", ".c4 ", ".c5 ", ".c6 ", ".free"} {
		require.Equal(t, 2, strings.Count(style, class), "%s has a colour for light and one for dark", class)
	}
}

// Any policy gives well-formed XML with the same elements: no name adds one.
func TestChartOfAnyPolicyIsWellFormed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		found := &limiter.Projection{Policy: drawName(t), Asked: rapid.IntRange(0, 10_000_000).Draw(t, "asked"), Start: monday}
		for i := range rapid.IntRange(0, 130).Draw(t, "days") {
			d := limiter.Day{Date: at(1+i, 0, 0), Sent: rapid.IntRange(0, 200_000).Draw(t, "sent")}
			for range rapid.IntRange(0, 3).Draw(t, "rules") {
				d.Held = append(d.Held, limiter.Held{Rule: drawName(t), For: time.Duration(rapid.Int64Min(0).Draw(t, "for")), Times: 1})
			}
			found.Days = append(found.Days, d)
			found.Sent += d.Sent
		}
		if rapid.Bool().Draw(t, "stopped") {
			found.StoppedBy = drawName(t)
		}
		p := draw(t, found)
		require.Equal(t, 1, p.elements["style"])
		for name := range p.elements {
			require.Contains(t, []string{"svg", "title", "desc", "style", "rect", "text", "line", "g"}, name)
		}
		heights, _ := p.bars(t)
		require.LessOrEqual(t, len(heights), 62)
		require.Equal(t, len(found.Days) > 0, len(heights) > 0)
	})
}

func drawName(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom(hostile()), rapid.String()).Draw(t, "name")
}
