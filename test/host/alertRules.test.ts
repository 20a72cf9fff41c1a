/** Each alert rule of deploy/grafana fires when it should, and none while all is well: in Prometheus's own test program. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { hasProgram } from '../../lab/prometheus.js'

const ruleFile = resolve('deploy/grafana/alerts.yaml')
const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string() })) })),
})
const alerts = rulesSchema
  .parse(parse(readFileSync(ruleFile, 'utf8')))
  .groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))

/** Minutes of one case. */
const length = 40
const always = (value: number): string => `${value}x${length}`
/** 0 for half of the time, then `value`. */
const then = (value: number): string => `0x${length / 2} ${value}x${length / 2}`

/** Series by name and labels; each also has the labels of its scrape. */
type Series = Record<string, string>
const well: Series = {
  up: always(1),
  outpool_engine_up: always(1),
  outpool_sample_age_seconds: always(2),
  outpool_parked_longest_seconds: always(0),
  'outpool_sessions{phase="waiting"}': always(0),
  'outpool_account_state{account="max-1",role="pool",state="ready"}': always(1),
  'outpool_account_state{account="max-1",role="pool",state="walled"}': always(0),
  'outpool_account_state{account="max-1",role="pool",state="logged-out"}': always(0),
  'outpool_window_reading_age_seconds{account="max-1",role="pool",window="five_hour"}': always(200),
  'outpool_rescues_total{cause="wall",result="moved"}': `0+1x${length}`,
  'outpool_rescues_total{cause="wall",result="failed"}': always(0),
  'outpool_rescue_duration_seconds_count{cause="wall"}': `0+1x${length}`,
  'outpool_rescue_duration_seconds_bucket{cause="wall",le="30"}': `0+1x${length}`,
  outpool_breaker_trips_total: always(0),
  'outpool_escalations_total{service="bot",result="started"}': always(0),
  'outpool_escalations_total{service="bot",result="given-up"}': always(0),
  'outpool_probes_total{account="max-1",result="failed"}': always(2),
  'outpool_task_runs_total{task="inbox",result="failed"}': always(1),
}

/** For each alert, how things differ from well when it fires at the end of the case. */
const unwell: Record<string, Series> = {
  OutpoolNoAccountAble: { 'outpool_account_state{account="max-1",role="pool",state="ready"}': always(0) },
  OutpoolSessionParkedLong: { outpool_parked_longest_seconds: then(7 * 3600) },
  OutpoolRescueSlow: {
    'outpool_rescue_duration_seconds_count{cause="wall"}': `5x${length - 5} 6x5`,
    'outpool_rescue_duration_seconds_bucket{cause="wall",le="30"}': `5x${length}`,
  },
  OutpoolRescueFailed: { 'outpool_rescues_total{cause="wall",result="failed"}': `0x${length - 5} 1x5` },
  OutpoolBreakerTripped: { outpool_breaker_trips_total: `0x${length - 5} 1x5` },
  OutpoolWaitsForPerson: { 'outpool_sessions{phase="waiting"}': then(1) },
  OutpoolLoggedOut: { 'outpool_account_state{account="max-1",role="pool",state="logged-out"}': then(1) },
  OutpoolServiceEscalated: {
    'outpool_escalations_total{service="bot",result="started"}': `0x${length - 5} 1x5`,
  },
  OutpoolServiceGivenUp: { 'outpool_escalations_total{service="bot",result="given-up"}': then(1) },
  OutpoolProbesFailing: { 'outpool_probes_total{account="max-1",result="failed"}': `0+1x${length}` },
  OutpoolReadingsOld: {
    'outpool_window_reading_age_seconds{account="max-1",role="pool",window="five_hour"}': then(4_000),
  },
  OutpoolTaskFailing: { 'outpool_task_runs_total{task="inbox",result="failed"}': `0+1x${length}` },
  OutpoolWorkerSilent: { up: `1x${length / 2} 0x${length / 2}` },
  OutpoolEngineDown: { outpool_engine_up: `1x${length / 2} 0x${length / 2}` },
}

/** Which alerts fire at the end of the case, as promtool expects it. */
const testOf = (series: Series, firing: readonly string[]): object => ({
  interval: '1m',
  input_series: Object.entries({ ...well, ...series }).map(([name, values]) => ({
    series: withScrape(name),
    values,
  })),
  promql_expr_test: [
    {
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: `${length}m`,
      exp_samples: firing.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
    },
  ],
})

const withScrape = (name: string): string => {
  const scrape = 'job="outpool",instance="here:9464"'
  return name.includes('{') ? name.replace('{', `{${scrape},`) : `${name}{${scrape}}`
}

it('every alert has a case', () => {
  expect(Object.keys(unwell).sort()).toEqual([...alerts].sort())
})

it.skipIf(!(await hasProgram('promtool')))(
  'every alert fires in its case, and none while all is well (skipped without a program promtool)',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'outpool-alerts-'))
    try {
      const file = join(dir, 'alerts.test.yaml')
      const tests = [testOf({}, []), ...alerts.map((alert) => testOf(unwell[alert]!, [alert]))]
      writeFileSync(file, stringify({ rule_files: [ruleFile], evaluation_interval: '1m', tests }))
      expect(execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })).toContain('SUCCESS')
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
)
