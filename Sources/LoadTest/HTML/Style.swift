extension HTMLReport {
    /// The page's style sheet, for light and dark screens and for paper.
    static let style = """

        :root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --ink: #1c2230; --faint: #657084;
          --line: #e3e6ec; --bar: #4169c9; --tokens: #2a9d8f; --sessions: #8a5fbf; --dot: #4169c9; --mark: #d9822b;
          --good: #1d7a4c; --bad: #b3312c; font: 15px/1.5 system-ui, sans-serif; }
        @media (prefers-color-scheme: dark) { :root { --page: #12151c; --card: #1b202a; --ink: #e6e9f0; --faint: #98a2b5;
          --line: #2c3340; --bar: #7396ec; --tokens: #4cc0b1; --sessions: #b795e4; --dot: #7396ec; --mark: #f0a860; --good: #5cc492; --bad: #f08a84; } }
        body { margin: 0; background: var(--page); color: var(--ink); }
        main { max-width: 78rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
        h1 { display: inline-block; margin: 0 .8rem .3rem 0; font-size: 1.7rem; letter-spacing: -.01em; }
        h2 { margin: 0 0 .4rem; font-size: 1.05rem; }
        header p { margin: .1rem 0; } small { font-size: .6em; font-weight: 500; } .faint { color: var(--faint); }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem;
          margin: 0 0 1rem; break-inside: avoid; }
        .pill { display: inline-block; padding: .05rem .6rem; margin: 0 .3rem .2rem 0; border-radius: 1rem;
          border: 1px solid var(--line); font-size: .85rem; font-weight: 600; vertical-align: middle; }
        .good { color: var(--good); border-color: var(--good); } .bad { color: var(--bad); border-color: var(--bad); }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 1rem; margin: 1.2rem 0 1rem; }
        .tiles .card { margin: 0; display: flex; flex-direction: column; font-size: .88rem; }
        .tiles strong { font-size: 1.9rem; line-height: 1.25; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
        .plots { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; margin-bottom: 1rem; }
        .plots .card { margin: 0; } .plots .card:nth-child(-n+2) { grid-column: 1 / -1; }
        @media (max-width: 46rem) { .plots .card { grid-column: 1 / -1; } }
        figcaption span { color: var(--faint); margin-left: .6rem; font-size: .88rem; }
        figure { margin: 0; } svg { display: block; width: 100%; height: auto; margin-top: .3rem; }
        svg text { fill: var(--faint); font-size: 12px; } svg .label { fill: var(--mark); font-weight: 600; }
        svg .fault { fill: var(--bad); font-size: 15px; font-weight: 700; }
        .bar { fill: var(--bar); } .dot { fill: var(--dot); fill-opacity: .55; }
        .area { fill-opacity: .2; stroke-width: 1.6; stroke-linejoin: round; }
        .tokens { fill: var(--tokens); stroke: var(--tokens); } .sessions { fill: var(--sessions); stroke: var(--sessions); }
        .axis { stroke: var(--faint); } .grid { stroke: var(--line); }
        .mark { stroke: var(--mark); stroke-width: 1.4; stroke-dasharray: 4 3; }
        table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: .35rem .5rem; text-align: right; border-bottom: 1px solid var(--line); font-weight: 400; }
        thead th { color: var(--faint); } th:first-child { text-align: left; }
        .list td { text-align: left; vertical-align: top; } .list .count { width: 4rem; font-weight: 600; }
        tr:last-child td, tr:last-child th { border-bottom: 0; } ul { margin: .2rem 0; padding-left: 1.2rem; }
        section p { margin: .3rem 0; }

        """
}
