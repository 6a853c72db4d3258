import HTTPFront
import Scheduling

extension Route {
    /// Counters and histograms for Prometheus. Without a key, as scrapers expect: the metrics name no client and hold no
    /// text; an operator who does not want them seen bars the path in the reverse proxy.
    static let metrics = Route("GET", "/metrics", needsKey: false) { api, _ throws(APIError) in
        let text = await api.metrics.prometheusText(
            api.scheduler.statistics(),
            about: ServerFacts(version: api.configuration.version, engine: api.scheduler.engineDescription),
            uptimeSeconds: api.uptimeSeconds,
            process: ProcessStatistics.read()
        )
        return Response(
            status: 200,
            headers: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
            body: .bytes(Array(text.utf8))
        )
    }
}
