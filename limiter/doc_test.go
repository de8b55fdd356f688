package limiter_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a rate limiter has to prove, and the test that proves it here. The numbers
// are those of the 73 lines of the checklist that this library was designed
// against. Left out are the lines that need a shared store (12, 18, 19, 63-69) or
// HTTP (70-72), and those that ask for what this limiter does not do: as much as
// possible of a cost (11), another cost at the end than at the start (52), replicas
// with different policies (60).
//
//	 1  TestRetryAfterIsExactAtAnyRate, TestRandomHistories, TestTracesKeepEveryPolicy
//	 2  TestTokenBucketNeverDrifts, TestTokenBucketTotalIsExactWhenAskedAllTheTime
//	 3  TestWhatADivisionLeavesIsNotLost
//	 4  TestARefundFillsABucketAndNoMore
//	 5  TestFaultsOfOtherLimiters, TestFirstAndLastTime, policy.TestValidate
//	 6  TestFaultsOfOtherLimiters, TestTokenBucketMeetsPackageRateAtTheEdges
//	 7  TestBadRequestIsNamedAndTouchesNothing, TestFaultsOfOtherLimiters
//	 8  TestFaultsOfOtherLimiters, TestHugeWindowTakesHugeCosts
//	 9  TestNewMaxIsUsedAtOnce, TestWindow_LimitZeroRefusesEverything, TestUncoveredRequestHoldsNothing
//	10  policy.TestFromRateBad
//	13  TestAskingBackAndForthAdmitsNoMore, TestTimesOutOfOrderReadAsTheLatest
//	14  TestClockThatStepsBack, TestWallClockThatIsSetMovesNoWait
//	15  TestClockThatRanAYearAheadAndCameBack
//	16  TestAtMostOneBurstAfterASuspension
//	17  TestOvertakenCallerReadsAsTheLatest, TestCallersWithTimesOfTheirOwnKeepTheBound
//	20  TestRefusedRequestChangesNothing, TestAShadowRuleCountsAsIfItWereInForce
//	21  TestWait_OnAMock, TestRealClockIsTheBubblesInABubble
//	22  TestWorstCaseInAnyMinute, TestNoStretchHoldsMoreThanPromised, TestTracesKeepEveryPolicy
//	23  TestSlidingWindowStepByStep, TestCalendarWindowStepByStep
//	24  TestCalendarWindowStepByStep
//	25  TestIdleForManyWindowsLeavesNothing
//	26  TestSlidingWindowStepByStep, TestLargeWindowIsNeverOverAndHardlyUnder
//	27  TestWindowEndsWhereAMinuteWalkSaysAroundEachChangeOfOffset
//	28  TestWindowEndsAtTheEndOfALeapYear, TestWindowEndsWhereTheWallClockShowsAnother
//	29  TestTheZoneOfATimeMattersNothing
//	30  TestRollingAndCalendarDayTogether
//	31  TestSlidingWindowStepByStep, TestCalendarWindowStepByStep
//	32  TestRefusedRequestChangesNothing, TestARefusalChangesNothing
//	33  TestSumsAreExactHoweverManyAsk, TestCrowdIsNotLeftShort
//	34  TestFaultsOfOtherLimiters
//	35  TestFaultsOfOtherLimiters, TestOrderOfRulesChangesNoAnswer
//	36  TestNewContactsCountRequests
//	37  TestARefusalChangesNothing, TestRestoreOfASnapshotIsTheIdentity
//	38  TestFirstUseOfAnAccountAdmitsOne
//	39  TestB29_APermitOrAnErrorNeverBoth
//	40  TestShadowRulesNeverRefuse, TestAShadowRuleCountsAsIfItWereInForce
//	41  linearizable.TestHistoriesAreLinearizable
//	42  TestPermitIsSettledOnce, TestManySettleOnePermit, TestPermitThatRunsOutCountsAsSent
//	43  TestThreePermitsComeBackInAnyOrder
//	44  TestB4_CancelledWaitsKeepNothing, TestWait_ACancelledWaiterGivesItsPlaceBack
//	45  TestWait_DeadlineTooSoon
//	46  TestWait_ContextDoneBefore, TestB29_APermitOrAnErrorNeverBoth
//	47  TestWait_WokenInVain
//	48  TestWait_FirstInFirstOut, TestWait_SmallCostsDoNotStarveALargeOne
//	49  TestWait_ThousandsGiveUp, TestLines_ManyWaiters
//	50  TestUnsentGrantsNoMoreThanNeverAsked, TestFaultsOfOtherLimiters
//	51  TestUnsentAfterAChangeOfPolicyGivesBackNoMore, TestUnsentAfterAChangeTakesNoOtherCharge, TestRestoreTakesThePlaceOfWhatThereIs
//	53  TestFaultsOfOtherLimiters, TestNewRecipientsLoseNoCharge
//	54  TestFaultsOfOtherLimiters
//	55  TestFaultsOfOtherLimiters
//	56  TestKeysDoNotCollide, TestBadRequestIsNamedAndTouchesNothing
//	57  TestADroppedLimiterIsCollected, TestMain
//	58  TestSpendingIsCarriedAcrossKinds, TestRenamedAndReorderedRulesCountOn, TestRuleThatComesBackCountsOn, TestEachRuleGetsItsOwnRestBack
//	59  TestNewMaxIsUsedAtOnce
//	61  TestRestoreInALaterProcess, TestRestoreWithTheClockBehind, TestRestoreUnderAnotherPolicy, TestBadSnapshotChangesNothing
//	62  FuzzRestore
//	73  TestHoldsOnlyMoveForward, TestHoldsSurviveARestart
func TestChecklistNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "doc_test.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var table string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "TestChecklistNamesTestsThatExist" {
			table = f.Doc.Text()
		}
	}
	tests := map[string]map[string]bool{
		"":             testsIn(t, "."),
		"policy":       testsIn(t, "../policy"),
		"linearizable": testsIn(t, "../internal/linearizable"),
	}
	left := map[int]bool{11: true, 12: true, 18: true, 19: true, 52: true, 60: true}
	for n := 63; n <= 72; n++ {
		left[n] = true
	}
	next := 1
	for _, row := range regexp.MustCompile(`(?m)^\t *(\d+)  (.+)$`).FindAllStringSubmatch(table, -1) {
		n, err := strconv.Atoi(row[1])
		require.NoError(t, err)
		for left[next] {
			next++
		}
		require.Equal(t, next, n, "a line is missing")
		next++
		for name := range strings.SplitSeq(row[2], ", ") {
			where, test, elsewhere := strings.Cut(name, ".")
			if !elsewhere {
				where, test = "", name
			}
			require.True(t, tests[where][test], "line %d: there is no %s", n, name)
		}
	}
	require.Equal(t, 74, next)
}

// testsIn are the test functions in a directory's files.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, dir)
	names := map[string]bool{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
